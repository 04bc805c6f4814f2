// Waiting places for coroutines: Slot (one value, once), Signal (a condition that others notify),
// sleep_for. Every wait of Signal and sleep takes a time limit, so none can hang for ever.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "core/async/reactor.h"

namespace jobq {

// One value handed from a callback to one coroutine. Shared by both, so either may go first.
template <class T>
class Slot {
  public:
    explicit Slot(Reactor& reactor) : state_(std::make_shared<State>(reactor)) {}

    // Ignored when a value is there already (a timeout and a reply may race).
    void set(T value) const {
        if (state_->value) return;
        state_->value.emplace(std::move(value));
        if (!state_->waiter) return;
        state_->node.leave();
        state_->reactor.post(state_->waiter);
    }

    bool is_set() const { return state_->value.has_value(); }

    bool await_ready() const { return is_set(); }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) const {
        state_->waiter = waiter;
        state_->node.enter(state_->reactor.waits(), "answer", waiter, at);
    }

    T await_resume() const { return std::move(*state_->value); }

  private:
    struct State {
        explicit State(Reactor& r) : reactor(r) {}

        Reactor& reactor;
        std::optional<T> value;
        std::coroutine_handle<> waiter;
        WaitNode node;
    };

    std::shared_ptr<State> state_;
};

// A place where coroutines wait to be notified, longest waiting first.
//   while (!condition) { auto w = signal.wait(limit_ms); if (!co_await w) break; }
class Signal {
  public:
    class Wait;

    explicit Signal(Reactor& reactor) : reactor_(reactor) {}

    Signal(const Signal&) = delete;

    ~Signal() { notify_all(); }

    // Awaiting it gives true when notified, false when limit_ms passed. Negative: no limit, for
    // owners that are sure to notify when they stop.
    Wait wait(int64_t limit_ms);
    // Wakes the longest waiting one; false when nobody waits.
    bool notify_one();
    void notify_all();

    bool has_waiters() const { return !waiting_.empty(); }

  private:
    friend class Wait;

    struct Node {
        std::coroutine_handle<> waiter;
        TimerId timer = 0;
        bool notified = false;
        WaitNode node;
    };

    Reactor& reactor_;
    std::list<std::shared_ptr<Node>> waiting_;
};

class Signal::Wait {
  public:
    Wait(Signal& signal, int64_t limit_ms) : signal_(signal), limit_ms_(limit_ms) {}

    bool await_ready() const { return limit_ms_ == 0; }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) {
        node_ = std::make_shared<Node>();
        node_->waiter = waiter;
        node_->node.enter(signal_.reactor_.waits(), "signal", waiter, at);
        signal_.waiting_.push_back(node_);
        if (limit_ms_ < 0) return;
        auto position = std::prev(signal_.waiting_.end());
        node_->timer = signal_.reactor_.after(limit_ms_, [s = &signal_, position] {
            auto node = *position;
            s->waiting_.erase(position);
            node->node.leave();
            s->reactor_.post(node->waiter);
        });
    }

    bool await_resume() const { return node_ && node_->notified; }

  private:
    Signal& signal_;
    int64_t limit_ms_;
    std::shared_ptr<Node> node_;
};

inline Signal::Wait Signal::wait(int64_t limit_ms) {
    return Wait(*this, limit_ms);
}

inline bool Signal::notify_one() {
    if (waiting_.empty()) return false;
    auto node = waiting_.front();
    waiting_.pop_front();
    reactor_.cancel(node->timer);
    node->notified = true;
    node->node.leave();
    reactor_.post(node->waiter);
    return true;
}

inline void Signal::notify_all() {
    while (notify_one()) {
    }
}

// co_await sleep_for(reactor, ms): at least ms. For waits that a stop must cut short use Signal.
class sleep_for {
  public:
    sleep_for(Reactor& reactor, int64_t ms) : reactor_(reactor), ms_(ms) {}

    bool await_ready() const { return false; }

    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter,
                       SourcePlace at = SourcePlace::here()) {
        auto& reactor = reactor_;
        node_.enter(reactor.waits(), "sleep", waiter, at);
        reactor_.after(ms_, [&reactor, waiter] { reactor.post(waiter); });
    }

    void await_resume() { node_.leave(); }

  private:
    Reactor& reactor_;
    int64_t ms_;
    WaitNode node_;
};

}  // namespace jobq
