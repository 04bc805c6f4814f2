// Containment: what escapes one request, or one task that nobody awaits, ends that one alone. Who
// stands at such a border awaits caught(), answers and closes its own, and tells it here; the
// daemon has it logged and counted. JOBQ_CHECK is no exception: it ends the program.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/async/task.h"

namespace jobq {

struct Escape {
    std::string_view part;  // of a closed list: session, http, sender, runner, task, loop
    std::string context;    // which verb, route, peer or place
    std::string what;       // what() of the exception
};

// Who is told; none: stderr is. For the program's start, one for all threads.
void on_escape(std::function<void(const Escape&)> tell);
// Says it; never throws.
void tell_escape(std::string_view part, std::string context, std::exception_ptr thrown) noexcept;
// what(), or that it has none. Requires: not null.
std::string words_of(const std::exception_ptr& thrown);

// Awaiting it runs the task to its end and gives the exception that escaped it, or null.
class caught {
  public:
    explicit caught(task<void> body) : body_(std::move(body)) {}

    bool await_ready() const noexcept { return false; }

    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) {
        return body_.await_suspend(waiter, at);
    }

    std::exception_ptr await_resume() const noexcept { return body_.escaped(); }

  private:
    task<void> body_;
};

}  // namespace jobq
