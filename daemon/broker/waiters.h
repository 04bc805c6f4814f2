// Waiters: fetchers that found nothing and wait for a push. One waiter is woken per new job, the
// longest waiting of those that run its type; each queue counts its pushes, so that a fetcher
// notices one that came between its empty fetch and its wait.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/async/task.h"
#include "core/async/wait.h"
#include "core/job/type_set.h"

namespace jobq {

class Waiters {
  public:
    // Given to wait(); interrupt() ends the wait early (the client has gone, a stop).
    class Ticket {
      public:
        explicit Ticket(Reactor& reactor) : signal(reactor) {}

        void interrupt() {
            interrupted = true;
            signal.notify_all();
        }

        Signal signal;
        bool interrupted = false;
        bool woken = false;
        int64_t since_ms = 0;  // of its wait
        Types types;           // what it runs
        // What it was woken for; type "": not known. Queue "": everybody was woken.
        std::string queue, type;
        bool alarmed = false;  // by the watchdog
    };

    explicit Waiters(Reactor& reactor) : reactor_(reactor) {}

    // Sum of the pushes of these queues so far that may have been of these types.
    uint64_t pushes(const std::vector<std::string>& queues, const Types& types) const;
    // Until a push to one of the queues since `seen`, the limit, or an interrupt. The wait ends at
    // once when pushes(queues, types) != seen.
    task<void> wait(std::vector<std::string> queues, Types types, uint64_t seen, int64_t limit_ms,
                    std::shared_ptr<Ticket> ticket);
    // `count` jobs of `type` became ready in `queue`. "": of types that are not known, so as many
    // of each kind of waiter look.
    void notify(const std::string& queue, std::string_view type, int count);
    // The watchdog does: who is woken knows.
    void alarm(const std::string& queue, std::string_view type, int count);
    // Who was woken does not take what it was woken for: the next in line looks.
    void pass_on(const Ticket& ticket);
    // Whether somebody who runs `type` ("": any) waits for that queue, "" for any, and has since
    // then or longer (monotonic).
    bool has_waited_since(const std::string& queue, std::string_view type, int64_t since_ms) const;
    // The queues that somebody waits for, and has since then or longer.
    std::vector<std::string> waited_for_since(int64_t since_ms) const;
    // Something may have become ready anywhere (a hint without a name, a resume).
    void notify_all();

  private:
    struct Queue {
        uint64_t pushes = 0, unknown = 0;
        std::array<uint32_t, TypeSet::kMarks> by_mark{};  // of those whose type is known
        std::list<std::shared_ptr<Ticket>> waiting;

        uint64_t pushes_of(const Types& types) const;
        bool has_waited_since(std::string_view type, int64_t since_ms) const;
    };

    static void wake(Ticket& ticket, const std::string& queue, std::string_view type);
    // Returns how many were woken.
    static int wake_some(const Queue& entry, const std::string& queue, std::string_view type,
                         int count, bool alarmed);

    Reactor& reactor_;
    uint64_t everywhere_ = 0;
    std::unordered_map<std::string, Queue> queues_;
};

}  // namespace jobq
