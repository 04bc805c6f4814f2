// on_loop(): runs a task on a UvReactor to its end and gives what it returned; fails the test when
// that takes longer than the limit. For tests of what stands on the real loop and real sockets.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq::test {

namespace detail {

template <class T>
task<void> keep_and_stop(UvReactor& reactor, task<T> body, std::optional<T>& out,
                         std::exception_ptr& error) {
    try {
        auto value = co_await body;
        out.emplace(std::move(value));
    } catch (...) {
        error = std::current_exception();
    }
    reactor.stop();
}

inline task<bool> true_after(task<void> body) {
    co_await body;
    co_return true;
}

}  // namespace detail

template <class T>
T on_loop(UvReactor& reactor, task<T> body, int64_t limit_ms = 30'000) {
    std::optional<T> out;
    std::exception_ptr error;
    bool late = false;
    TimerId watchdog = reactor.after(limit_ms, [&] {
        late = true;
        reactor.stop();
    });
    spawn(detail::keep_and_stop(reactor, std::move(body), out, error));
    reactor.run();
    reactor.cancel(watchdog);
    // The task still waits: its frame can't be taken apart, so nothing after this is safe.
    if (late) {
        std::fprintf(stderr, "the task did not end within its limit\n");
        std::abort();
    }
    if (error) std::rethrow_exception(error);
    return std::move(*out);
}

inline void on_loop(UvReactor& reactor, task<void> body, int64_t limit_ms = 30'000) {
    on_loop(reactor, detail::true_after(std::move(body)), limit_ms);
}

// Waits in the loop until `condition()`; false when limit_ms passed first.
inline task<bool> until(UvReactor& reactor, std::function<bool()> condition,
                        int64_t limit_ms = 10'000) {
    int64_t deadline = reactor.now_ms() + limit_ms;
    while (!condition()) {
        if (reactor.now_ms() >= deadline) co_return false;
        sleep_for pause(reactor, 1);
        co_await pause;
    }
    co_return true;
}

}  // namespace jobq::test
