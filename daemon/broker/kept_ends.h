// KeptEnds: ends that jobqd itself keeps and offers to the store again, for who reports once:
// clients of Faktory take an error for the last word, and drop the end of the job with it. Pools
// and runners keep their own.
//
// Must stay true: of one job one end is kept, the first that was reported; the next report of it
// waits for that one. Nobody is told that an end is recorded before it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/async/gate.h"
#include "core/base/error.h"

namespace jobq {

class Attempts;
class RunningTable;
struct Ended;

class KeptEnds {
  public:
    KeptEnds(Reactor& reactor, Attempts& attempts, const RunningTable& running);
    ~KeptEnds();

    // The answer of the store, or unavailable when there is none in time: then the end is kept.
    task<Result<>> finish(Ended ended);

    bool holds(const std::string& jid) const { return ends_.count(jid) > 0; }

    // Gives those up that are not recorded by then.
    task<void> stop(int64_t limit_ms);

  private:
    struct End;

    task<void> keep(std::shared_ptr<End> end);

    Reactor& reactor_;
    Attempts& attempts_;
    const RunningTable& running_;
    Gate gate_;
    std::unordered_map<std::string, std::shared_ptr<End>> ends_;  // by jid
    int64_t give_up_ms_ = 0;                                      // monotonic; 0: never
};

}  // namespace jobq
