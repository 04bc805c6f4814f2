// run_apart(): does blocking work on a thread of its own while the loop goes on, and gives what it
// returned. For the rare and long, as the check of a large file; the work itself must end soon when
// it is told to. Must stay true: the caller's frame lives until the work is over.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

// T must be copyable. Without a thread to spare it is done here.
template <class T>
task<T> run_apart(UvReactor& reactor, std::function<T()> work) {
    struct Done {
        std::optional<T> value;
        std::exception_ptr escaped;
    };

    Slot<std::shared_ptr<Done>> slot(reactor);
    std::function<void()> body = [&reactor, slot, work] {
        auto outcome = std::make_shared<Done>();
        try {
            outcome->value.emplace(work());
        } catch (...) {
            outcome->escaped = std::current_exception();
        }
        reactor.post_from_thread([slot, outcome] { slot.set(outcome); });
    };
    std::thread thread;
    try {
        thread = std::thread(body);
    } catch (const std::system_error&) {
        body();
    }
    auto outcome = co_await slot;
    if (thread.joinable()) thread.join();
    if (outcome->escaped) std::rethrow_exception(outcome->escaped);
    co_return std::move(*outcome->value);
}

}  // namespace jobq
