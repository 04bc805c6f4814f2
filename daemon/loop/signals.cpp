// SignalWatch on uv_signal. The callback of libuv only defers; the handle is freed in its close
// callback, and what is deferred by then finds that its owner is gone.
#include "daemon/loop/signals.h"

#include <signal.h>
#include <uv.h>

#include "core/base/error.h"

namespace jobq {

struct SignalWatch::Impl {
    uv_signal_t handle;
    UvReactor* reactor;
    std::shared_ptr<std::function<void()>> fn;
};

SignalWatch::~SignalWatch() {
    impl_->fn.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(&impl_->handle),
             [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

std::unique_ptr<SignalWatch> on_signal(UvReactor& reactor, int signo, std::function<void()> fn) {
    using Impl = SignalWatch::Impl;
    std::unique_ptr<SignalWatch> watch(new SignalWatch);
    watch->impl_ = new Impl;
    Impl* impl = watch->impl_;
    impl->reactor = &reactor;
    impl->fn = std::make_shared<std::function<void()>>(std::move(fn));
    JOBQ_CHECK(uv_signal_init(reactor.loop(), &impl->handle) == 0);
    impl->handle.data = impl;
    auto arrived = [](uv_signal_t* handle, int) {
        auto* self = static_cast<Impl*>(handle->data);
        std::weak_ptr<std::function<void()>> weak = self->fn;
        self->reactor->defer([weak] {
            if (auto call = weak.lock()) (*call)();
        });
    };
    JOBQ_CHECK(uv_signal_start(&impl->handle, arrived, signo) == 0);
    // The program that ran before an exec may have held it back for us.
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signo);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    return watch;
}

std::vector<int> hold(const std::vector<std::unique_ptr<SignalWatch>>& watches) {
    sigset_t signals;
    sigemptyset(&signals);
    std::vector<int> numbers;
    for (const auto& watch : watches) {
        numbers.push_back(watch->impl_->handle.signum);
        sigaddset(&signals, numbers.back());
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return numbers;
}

void ignore_from_now(std::vector<std::unique_ptr<SignalWatch>> watches) {
    // Held while libuv restores the default effect; what came meanwhile is dropped with SIG_IGN.
    const auto numbers = hold(watches);
    watches.clear();
    for (int number : numbers)
        ::signal(number, SIG_IGN);
}

}  // namespace jobq
