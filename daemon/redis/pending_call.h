// PendingCall: one command between being given to the link and its end. Lives in the frame of the
// coroutine that awaits it, which always completes, so queues hold plain pointers.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "core/async/reactor.h"
#include "core/store/link/redis_link.h"

namespace jobq {

class PendingCall {
  public:
    explicit PendingCall(Reactor& reactor) : reactor_(reactor) {}

    PendingCall(const PendingCall&) = delete;

    // Exactly once.
    void complete(Result<Reply> result) {
        JOBQ_CHECK(!result_);
        result_.emplace(std::move(result));
        if (!waiter_) return;
        node_.leave();
        reactor_.post(waiter_);
    }

    bool await_ready() const { return result_.has_value(); }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) {
        waiter_ = waiter;
        node_.enter(reactor_.waits(), "redis", waiter, at);
    }

    Result<Reply> await_resume() { return std::move(*result_); }

  private:
    Reactor& reactor_;
    std::coroutine_handle<> waiter_;
    std::optional<Result<Reply>> result_;
    WaitNode node_;
};

}  // namespace jobq
