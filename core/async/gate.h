// Gate: counts the coroutines an object has started, so that its stop() can wait until the last
// one has left. Entering a closed gate is refused; a gate must be empty when it is destroyed.
#pragma once

#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"

namespace jobq {

class Gate {
  public:
    explicit Gate(Reactor& reactor) : empty_(reactor) {}

    ~Gate() { JOBQ_CHECK(inside_ == 0); }

    // Runs `body` as a root inside the gate; drops it unstarted when the gate is closed.
    void spawn(task<void> body) {
        if (closed_) return;
        ++inside_;
        jobq::spawn(hold(std::move(body)));
    }

    bool closed() const { return closed_; }

    int inside() const { return inside_; }

    // Refuses new ones and waits for those inside. Their owner has told them to stop before.
    task<void> close() {
        closed_ = true;
        while (inside_ > 0) {
            auto left = empty_.wait(-1);
            co_await left;
        }
    }

  private:
    task<void> hold(task<void> body) {
        co_await body;
        if (--inside_ == 0) empty_.notify_all();
    }

    Signal empty_;
    int inside_ = 0;
    bool closed_ = false;
};

}  // namespace jobq
