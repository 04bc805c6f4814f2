// UvReactor: the Reactor on a libuv loop, and the loop's turn.
//
// One turn: libuv's callbacks only store results and post(); then the ready queue is drained until
// empty, then what was deferred runs (and may post again), then libuv polls. Timers are one ordered
// map behind one uv_timer. wall_ms() and now_ms() read the clocks, not libuv's cached time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "core/async/reactor.h"

struct uv_loop_s;

namespace jobq {

class UvReactor : public Reactor {
  public:
    UvReactor();
    ~UvReactor() override;
    UvReactor(const UvReactor&) = delete;

    int64_t now_ms() const override;
    int64_t wall_ms() const override;
    void post(std::coroutine_handle<> handle) override;
    void defer(std::function<void()> fn) override;
    TimerId after(int64_t delay_ms, std::function<void()> fn) override;
    void cancel(TimerId id) override;

    // From any thread: runs `fn` on the loop.
    void post_from_thread(std::function<void()> fn);

    // Runs until stop() and nothing is ready any more.
    void run();
    void stop();

    uv_loop_s* loop();

    // The longest turn since the last call, in milliseconds: what `jobq stats` calls loop lag.
    int64_t take_longest_turn_ms();

    // Called after each turn with the time it took.
    void on_turn(std::function<void(int64_t us)> fn) { on_turn_ = std::move(fn); }

  private:
    struct Handles;

    void turn();
    void drain();
    void fire_timers();
    void arm_timer();

    std::unique_ptr<Handles> uv_;
    std::deque<std::coroutine_handle<>> ready_;
    std::vector<std::function<void()>> deferred_;
    std::map<std::pair<int64_t, TimerId>, std::function<void()>> timers_;
    std::map<TimerId, int64_t> timer_times_;
    TimerId next_timer_ = 1;
    int64_t armed_for_ms_ = -1;
    int64_t longest_turn_ms_ = 0;
    std::function<void(int64_t)> on_turn_;
    bool stopping_ = false;
};

}  // namespace jobq
