// run_task(): drives a task to its end on a TestReactor and gives what it returned. Virtual time
// moves from timer to timer while the task waits; a task that waits for nothing ends the test.
#pragma once

#include <optional>
#include <stdexcept>
#include <utility>

#include "core/async/task.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {

namespace detail {

template <class T>
task<void> store_into(task<T> body, std::optional<T>& out, std::exception_ptr& error) {
    try {
        auto value = co_await body;
        out.emplace(std::move(value));
    } catch (...) {
        error = std::current_exception();
    }
}

inline task<bool> then_true(task<void> body) {
    co_await body;
    co_return true;
}

}  // namespace detail

template <class T>
T run_task(TestReactor& reactor, task<T> body) {
    std::optional<T> out;
    std::exception_ptr error;
    spawn(detail::store_into(std::move(body), out, error));
    reactor.run_until_idle();
    while (!out && !error)
        if (!reactor.advance_to_next_timer())
            throw std::runtime_error("the task waits, and nothing is left that could wake it");
    if (error) std::rethrow_exception(error);
    return std::move(*out);
}

inline void run_task(TestReactor& reactor, task<void> body) {
    run_task(reactor, detail::then_true(std::move(body)));
}

}  // namespace jobq::test
