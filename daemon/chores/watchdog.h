// Watchdog: jobs that are ready, a worker that waits for them, and no one told it. That must not
// happen; should it all the same (a wake-up that was lost, a hint of another daemon that never
// came), the worker is woken and people are told. Made by the app.
//
// It looks kLookAfterMs after something stirred: a job that came or ended, or a look at the queues
// that found some ready; and again when more stirred meanwhile. Must stay true: while nothing stirs
// it does nothing. Paused and throttled jobs are no alarm, nor are those that nobody who waits
// runs: it wakes who runs a queue's next job, and only those count that whoever it woke takes.
#pragma once

#include <map>
#include <string>

#include "core/async/gate.h"
#include "daemon/broker/broker.h"
#include "daemon/observe/counters.h"

namespace jobq {

class Watchdog {
  public:
    Watchdog(Reactor& reactor, Broker& broker, Counters& counters);

    task<void> stop();

  private:
    struct Stalled {
        std::string queue, type;
        int64_t ready = 0, age_ms = 0, oldest_ms = 0;
    };

    task<void> watch();
    // True: once more after a while.
    task<bool> look();
    std::vector<Stalled> stalled(const std::vector<QueueInfo>& queues, bool* young);
    bool has_candidate(const std::vector<QueueInfo>& queues) const;
    bool may_be_throttled(const std::string& queue) const;
    void tell(const Stalled& one, int taken);

    Reactor& reactor_;
    Broker& broker_;
    Counters& counters_;
    Signal stop_;
    Gate gate_;
    bool stopping_ = false;
    std::map<std::string, int64_t> in_vain_;  // queue -> its oldest job when waking did not help
};

}  // namespace jobq
