// Attempts: what becomes of attempts. decide() says it, one call of the store does it, and those
// who wait for the job are notified.
//
// Must stay true: no end is reported to anyone before the store has recorded it; a lease leaves the
// RunningTable by its own end alone, never by that of an earlier one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/rng.h"
#include "core/job/decide.h"
#include "core/store/store.h"
#include "daemon/broker/current_config.h"
#include "daemon/broker/journal.h"
#include "daemon/broker/recent_jids.h"
#include "daemon/broker/running_table.h"
#include "daemon/broker/wakeups.h"
#include "daemon/broker/watchers.h"
#include "daemon/broker/webhook_news.h"
#include "daemon/observe/trace_names.h"

namespace jobq {

// An ended attempt. An empty token: whoever has it reserved now (Faktory's ACK and FAIL carry
// none).
struct Ended {
    std::string jid, owner, token;
    RunReport report;
};

class Attempts {
  public:
    Attempts(Reactor& reactor, Store& store, const CurrentConfig& config, const TraceNames& traces,
             WebhookNews& news, RunningTable& running, RecentJids& recent, Wakeups& wakeups,
             Watchers& watchers, Journal& journal);

    task<std::vector<Result<>>> finish(std::vector<Ended> batch);
    // Like finish(), repeated until the store gave a final answer, or `give_up` says so.
    task<std::vector<Result<>>> finish_surely(std::vector<Ended> batch,
                                              std::function<bool()> give_up);
    // Takes the job into the table from the store, should an earlier process of ours have handed it
    // out. `worker`: who says that it runs it. lease_lost: it does not run.
    task<Result<>> find_running(std::string jid, std::string worker);
    // A lease that this process did not give out.
    void note_found(JobView view, const std::string& worker);

  private:
    // What a finish() needs to know again when the store has answered.
    struct Planned {
        size_t index;
        Move move;
        int64_t at_ms;
        std::string reason, queue;
        uint64_t serial;  // of the lease that was ended; 0: not the present one
        std::shared_ptr<const Job> follow{};
    };

    Finish plan(const Ended& ended, const Running& running);
    task<void> finish_cancelled(std::vector<Ended> batch, std::vector<size_t> which,
                                std::vector<Result<>>* results);
    void wake_after(const Planned& next);
    void ended(const Ended& what, const Planned& next, const Running& running);

    Reactor& reactor_;
    Store& store_;
    const CurrentConfig& config_;
    const TraceNames& traces_;
    WebhookNews& news_;
    RunningTable& running_;
    RecentJids& recent_;
    Wakeups& wakeups_;
    Watchers& watchers_;
    Journal& journal_;
    Rng rng_;
};

}  // namespace jobq
