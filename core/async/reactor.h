// Reactor: what coroutines need of an event loop, without knowing libuv. daemon/loop implements it
// on uv_loop_t, tests/support on virtual time, so the same daemon logic runs in both.
//
// Rule: nothing resumes a coroutine inside a foreign callback. Whoever has a result calls post();
// the loop drains the ready queue once per turn, then runs what was deferred (the store's
// coalescer), then polls.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>

#include "core/async/waiting.h"

namespace jobq {

using TimerId = uint64_t;  // 0 is no timer

class Reactor {
  public:
    virtual ~Reactor() = default;

    // Monotonic milliseconds since an arbitrary start: for deadlines and leases.
    virtual int64_t now_ms() const = 0;
    // Milliseconds since the epoch: for run_at, timestamps shown to people, nothing else.
    virtual int64_t wall_ms() const = 0;

    // Resumes `handle` in the ready queue of this turn or the next.
    virtual void post(std::coroutine_handle<> handle) = 0;
    // Calls `fn` once the ready queue is empty, before the loop polls. Order is kept.
    virtual void defer(std::function<void()> fn) = 0;
    // Calls `fn` from the loop after at least `delay_ms`; never early. cancel() of a timer that
    // fired, and of 0, does nothing.
    virtual TimerId after(int64_t delay_ms, std::function<void()> fn) = 0;
    virtual void cancel(TimerId id) = 0;

    // The waits of its coroutines. An implementation tells it the time once a turn.
    WaitList& waits() { return waits_; }

  private:
    WaitList waits_;
};

}  // namespace jobq
