// Waiters: fetchers that found nothing and wait for a push. One waiter is woken per new job, the
// longest waiting first; each queue counts its pushes, so that a fetcher notices one that came
// between its empty fetch and its wait.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/async/task.h"
#include "core/async/wait.h"

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
    };

    explicit Waiters(Reactor& reactor) : reactor_(reactor) {}

    // Sum of the pushes of these queues so far.
    uint64_t pushes(const std::vector<std::string>& queues) const;
    // Until a push to one of the queues since `seen`, the limit, or an interrupt. The wait ends at
    // once when pushes(queues) != seen.
    task<void> wait(std::vector<std::string> queues, uint64_t seen, int64_t limit_ms,
                    std::shared_ptr<Ticket> ticket);
    // `count` jobs became ready in `queue`.
    void notify(const std::string& queue, int count);
    // Who was woken for a job of these queues does not take it: the next in line looks.
    void pass_on(const std::vector<std::string>& queues);
    // Whether somebody waits for that queue, "" for any, and has since then or longer (monotonic).
    bool has_waited_since(const std::string& queue, int64_t since_ms) const;
    // Something may have become ready anywhere (a hint without a name, a resume).
    void notify_all();

  private:
    struct Queue {
        uint64_t pushes = 0;
        std::list<std::shared_ptr<Ticket>> waiting;

        bool has_waited_since(int64_t since_ms) const;
    };

    Reactor& reactor_;
    uint64_t everywhere_ = 0;
    std::unordered_map<std::string, Queue> queues_;
};

}  // namespace jobq
