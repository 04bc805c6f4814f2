// TestReactor: a Reactor on virtual time. Time moves only by advance(); a seed other than 0 mixes
// the order of what is ready and of timers due at the same moment, as any order must be right.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "core/async/reactor.h"
#include "core/base/rng.h"

namespace jobq::test {

class TestReactor final : public Reactor {
  public:
    // 2026-11-22T00:00:00Z
    static constexpr int64_t kStartWallMs = 1'795'305'600'000;

    explicit TestReactor(uint64_t seed = 0) : mixed_(seed != 0), rng_(seed) {}

    int64_t now_ms() const override { return now_; }

    int64_t wall_ms() const override { return kStartWallMs + now_ + wall_step_; }

    void post(std::coroutine_handle<> handle) override { ready_.push_back(handle); }

    void defer(std::function<void()> fn) override { deferred_.push_back(std::move(fn)); }

    TimerId after(int64_t delay_ms, std::function<void()> fn) override;
    void cancel(TimerId id) override;

    // Runs until nothing is ready, deferred or due.
    void run_until_idle();
    // Lets `ms` pass, timer by timer.
    void advance(int64_t ms);
    // Goes to the next timer and runs what it starts; false when there is none.
    bool advance_to_next_timer();

    // The wall clock alone jumps, as when an administrator sets it.
    void step_wall(int64_t ms) { wall_step_ += ms; }

    size_t timers() const { return timers_.size(); }

    // For a simulation of several reactors that share one time: whether anything is left to do now,
    // when its next timer is due (INT64_MAX: none), and a move of its clock that runs nothing.
    bool busy() const;
    int64_t next_due_ms() const;

    void move_to(int64_t now_ms) { now_ = now_ms; }

    // How many timers have fired.
    uint64_t fired() const { return fired_; }

  private:
    struct Timer {
        int64_t at;
        std::function<void()> fn;
    };

    bool run_ready();
    bool run_deferred();
    bool run_due_timers();

    int64_t now_ = 1'000;
    int64_t wall_step_ = 0;
    bool mixed_;
    Rng rng_;
    std::deque<std::coroutine_handle<>> ready_;
    std::vector<std::function<void()>> deferred_;
    std::map<TimerId, Timer> timers_;
    TimerId next_timer_ = 1;
    uint64_t fired_ = 0;
};

}  // namespace jobq::test
