// task<T>: a lazy coroutine for one thread. Awaiting it starts it; it hands its value, or the
// exception that escaped it, to the one who awaits.
//
// await_suspend returns bool instead of using symmetric transfer: a chain of 100,000 awaits that
// finish at once overflows the stack otherwise at -O0 and under ASan with g++ 12. A task that is
// destroyed while suspended in a wait would leave that wait dangling: every wait completes instead
// (deadline or stop), and roots started with spawn() run to their end.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "core/async/waiting.h"

namespace jobq {

template <class T = void>
class task;

namespace detail {

struct FinalAwaiter {
    bool await_ready() noexcept { return false; }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) noexcept {
        // After resume() the frame of `self`, and this awaiter in it, may be gone.
        if (auto waiter = self.promise().waiter) {
            waiter.resume();
        } else {
            self.promise().finished = true;
        }
    }

    void await_resume() noexcept {}
};

struct PromiseBase : AwaitFrame {
    std::coroutine_handle<> waiter;
    bool finished = false;
    std::exception_ptr error;

    std::suspend_always initial_suspend() noexcept { return {}; }

    FinalAwaiter final_suspend() noexcept { return {}; }

    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;

    task<T> get_return_object();

    template <class U>
    void return_value(U&& v) {
        value.emplace(std::forward<U>(v));
    }

    T take() {
        if (error) std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    task<void> get_return_object();

    void return_void() noexcept {}

    void take() {
        if (error) std::rethrow_exception(error);
    }
};

}  // namespace detail

template <class T>
class [[nodiscard]] task {
  public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    explicit task(Handle handle) : handle_(handle) {}

    task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}

    task& operator=(task&&) = delete;

    ~task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) {
        AwaitFrame* caller = frame_of(waiter);
        if (caller) caller->at = at;
        handle_.promise().caller = caller;
        handle_.resume();  // runs until its first real wait, or to its end
        if (handle_.promise().finished) return false;
        handle_.promise().waiter = waiter;
        return true;
    }

    T await_resume() { return handle_.promise().take(); }

    // What ended it instead of a value; see contain.h. Requires: it has ended.
    std::exception_ptr escaped() const noexcept { return handle_.promise().error; }

  private:
    Handle handle_;
};

namespace detail {

template <class T>
task<T> Promise<T>::get_return_object() {
    return task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline task<void> Promise<void>::get_return_object() {
    return task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// A root: starts at once, owns itself, ends the program on an escaped exception.
struct Root {
    struct promise_type {
        Root get_return_object() noexcept { return {}; }

        std::suspend_never initial_suspend() noexcept { return {}; }

        std::suspend_never final_suspend() noexcept { return {}; }

        void return_void() noexcept {}

        void unhandled_exception() noexcept { std::terminate(); }
    };
};

inline Root run_root(task<void> body) {
    co_await body;
}

}  // namespace detail

// Starts `body` now and lets it run to its end on its own. Its owner keeps a Gate to wait for it.
inline void spawn(task<void> body) {
    detail::run_root(std::move(body));
}

}  // namespace jobq
