// Chore: a periodic duty of jobqd, a coroutine of its own from start() to stop().
//
// Must stay true: a second start() does nothing, nor does a stop() of what was not started or has
// stopped; nothing is begun after a stop().
#pragma once

#include <cstdint>

#include "core/async/gate.h"
#include "daemon/broker/broker.h"

namespace jobq {

class Chore {
  public:
    explicit Chore(Broker& broker) : Chore(broker, nullptr) {}

    virtual ~Chore() = default;
    Chore(const Chore&) = delete;

    void start();
    // Returns when its coroutine has ended: what it is at with the store is done first.
    task<void> stop();

  protected:
    // `wake`: what it waits at, for those who have something for it to do; null: one of its own.
    Chore(Broker& broker, Signal* wake)
        : reactor_(broker.reactor()),
          broker_(broker),
          own_(reactor_),
          wake_(wake ? *wake : own_),
          gate_(reactor_) {}

    // Ends soon once stopping() is so; wake_ is notified then.
    virtual task<void> run() = 0;

    bool stopping() const { return stopping_; }

    // Told by others, once.
    static bool is_known(const Error& error);
    // Until leases are looked at again: longer while nothing runs and nobody is connected.
    int64_t lease_tick_ms() const;

    static constexpr int64_t kLeaseTickMs = 1'000, kIdleTickMs = 5'000;

    Reactor& reactor_;
    Broker& broker_;
    Signal own_;
    Signal& wake_;
    Gate gate_;

  private:
    bool started_ = false, stopping_ = false;
};

}  // namespace jobq
