// Hub: what the parts of one runner share: where jobqd is, whether it is reachable, whether new
// jobs are wanted, and what the types run. Owned by Runner, written by it and by Heart; the loops
// of pools and reporter wait on `changed` and look again.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/async/wait.h"
#include "core/base/rng.h"
#include "core/protocol/runner_messages.h"
#include "daemon/runner/backlog.h"
#include "daemon/runner/broker_client.h"
#include "daemon/runner/orphan_sweeper.h"
#include "daemon/runner/runner.h"

namespace jobq {

// The waits between tries to reach jobqd: 20 ms doubling to a second, spread by chance so that many
// runners do not come back in step.
class RetryDelay {
  public:
    int64_t next_ms(Rng& rng);

    void reset() { next_ms_ = 0; }

  private:
    int64_t next_ms_ = 0;
};

struct Hub {
    Hub(UvReactor& loop, RunnerOptions settings, RunnerGuard* guard, Dial way, uint64_t seed)
        : reactor(loop),
          options(std::move(settings)),
          dial(std::move(way)),
          sweeper(loop, guard),
          rng(seed),
          left(options.max_jobs),
          changed(loop) {}

    UvReactor& reactor;
    RunnerOptions options;
    Dial dial;
    OrphanSweeper sweeper;
    Rng rng;
    Backlog backlog;
    int64_t left;      // jobs that may be taken yet; negative: no limit
    bool dry = false;  // burst: a take found nothing while nothing ran

    bool online = false;      // a heartbeat was answered on the present connection
    bool told_quiet = false;  // by jobqd
    bool stopping = false;    // by a signal or by jobqd: takes nothing more
    bool closing = false;     // every loop is to end
    Signal changed;           // of any of these, of the slots, of the reports

    std::string config;  // the version of the assignment that all goes by; "": an own one
    std::map<std::string, TypeSpec> types;
    bool run_allowed = false;

    bool takes() const { return online && !told_quiet && !stopping && !closing; }

    const TypeSpec* type(const std::string& name) const;
    void say(LogLevel level, std::string_view event, const std::string& text) const;
    // At least `ms` and not much longer, less when all is to end.
    task<void> pause(int64_t ms);
    // Pauses for the next of these waits.
    task<void> back_off(RetryDelay* delay);
};

}  // namespace jobq
