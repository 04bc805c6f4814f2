// Schedule: when the next job becomes due, as far as it is known here. The promoter waits for it;
// who stores a job that waits for its time says so.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/async/wait.h"

namespace jobq {

class Schedule {
  public:
    explicit Schedule(Reactor& reactor) : changed(reactor) {}

    // Wall clock. 1: look now; 0: nothing is known to become due.
    int64_t next_ms() const { return next_ms_; }

    // A job becomes due then.
    void due(int64_t at_ms) {
        if (add(at_ms)) changed.notify_all();
    }

    void look_now() {
        set(1);
        changed.notify_all();
    }

    // As due(), by the promoter itself. False: that is known.
    bool add(int64_t at_ms) {
        if (next_ms_ != 0 && at_ms >= next_ms_) return false;
        set(std::max<int64_t>(at_ms, 1));
        return true;
    }

    void set(int64_t next_ms) { next_ms_ = next_ms; }

    Signal changed;

  private:
    int64_t next_ms_ = 1;
};

}  // namespace jobq
