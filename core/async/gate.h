// Gate: counts the coroutines an object has started, so that its stop() can wait until the last
// one has left. Entering a closed gate is refused; a gate must be empty when it is destroyed.
//
// Must stay true: what escapes one of them ends that one alone (contain.h). A loop that must not
// end so is entered by keep().
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "core/async/contain.h"
#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/base/error.h"

namespace jobq {

class Gate {
  public:
    explicit Gate(Reactor& reactor) : reactor_(reactor), empty_(reactor) {}

    ~Gate() { JOBQ_CHECK(inside_ == 0); }

    // Runs `body` as a root inside the gate; drops it unstarted when the gate is closed.
    void spawn(task<void> body, SourcePlace from = SourcePlace::here()) {
        if (closed_) return;
        ++inside_;
        jobq::spawn(hold(std::move(body), from));
    }

    // As spawn(make()), and anew, after a moment, when an exception ended it.
    void keep(std::function<task<void>()> make, SourcePlace from = SourcePlace::here()) {
        if (closed_) return;
        ++inside_;
        jobq::spawn(hold_again(std::move(make), from));
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
    static constexpr int64_t kPauseMs = 500;

    static void tell(const std::exception_ptr& escaped, const SourcePlace& from) {
        tell_escape("task", std::string(from.function) + ", line " + std::to_string(from.line),
                    escaped);
    }

    task<void> hold(task<void> body, SourcePlace from) {
        caught one(std::move(body));
        auto escaped = co_await one;
        if (escaped) tell(escaped, from);
        leave();
    }

    task<void> hold_again(std::function<task<void>()> make, SourcePlace from) {
        while (true) {
            caught one(make());
            auto escaped = co_await one;
            if (!escaped) break;
            tell(escaped, from);
            sleep_for pause(reactor_, kPauseMs);
            co_await pause;
            if (closed_) break;
        }
        leave();
    }

    void leave() {
        if (--inside_ == 0) empty_.notify_all();
    }

    Reactor& reactor_;
    Signal empty_;
    int inside_ = 0;
    bool closed_ = false;
};

}  // namespace jobq
