// Wakeups: whoever makes a job ready or due says it here, and those who wait for jobs hear of it:
// fetchers (Waiters), the promoter (Schedule) and the watchdog.
//
// Must stay true: an answer that was lost may have made jobs ready of which nobody was told; once
// such a call is done or never will be, all look again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "daemon/broker/schedule.h"
#include "daemon/broker/waiters.h"

namespace jobq {

class Wakeups {
  public:
    explicit Wakeups(Reactor& reactor)
        : waiters(reactor), schedule(reactor), stirred(reactor), reactor_(reactor) {}

    // Jobs by queue and type.
    using Counts = std::map<std::pair<std::string, std::string>, int>;
    void ready(const Counts& jobs);

    // A job may have become ready, or a slot free.
    void stir() {
        ++stirs_;
        stirred.notify_all();
    }

    // How often so far: who was busy meanwhile sees by it what it missed.
    uint64_t stirs() const { return stirs_; }

    // Of a call with this error: what it did, if anything, nobody was told.
    void note_unknown(const Error& error);

    bool looks_again() const { return again_ms_ != 0; }

    // If it is time to.
    void look_again();

    Waiters waiters;
    Schedule schedule;
    Signal stirred;  // for the watchdog

  private:
    Reactor& reactor_;
    uint64_t stirs_ = 0;
    int64_t again_ms_ = 0;  // monotonic; 0: no answer was lost
};

}  // namespace jobq
