// UvReactor on libuv: one uv_timer for all timers, one uv_async for other threads, nothing else.
// Streams and listeners put their own uv_poll handles on loop(). Must stay true: fn's and
// coroutines run from turn() only, never from a libuv callback.
#include "daemon/loop/uv_reactor.h"

#include <uv.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <mutex>

#include "core/async/contain.h"
#include "core/base/error.h"
#include "core/base/time.h"

namespace jobq {
namespace {

// What one turn may do before it looks at the sockets again: a chain of coroutines that always find
// their next answer ready must not starve the others.
constexpr int kRoundsPerTurn = 64;
constexpr size_t kResumesPerRound = 20'000;

int64_t clock_ns(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// What escapes one call that nobody awaits ends that call alone.
void call(const std::function<void()>& fn, const char* kind) {
    try {
        fn();
    } catch (...) {
        tell_escape("loop", kind, std::current_exception());
    }
}

}  // namespace

struct UvReactor::Handles {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_async_t async;
    std::mutex mutex;
    std::vector<std::function<void()>> from_threads;
};

UvReactor::UvReactor() : uv_(std::make_unique<Handles>()) {
    // A peer that went away is an error of one write, not the end of the daemon.
    std::signal(SIGPIPE, SIG_IGN);
    waits().set_now(now_ms());
    JOBQ_CHECK(uv_loop_init(&uv_->loop) == 0);
    uv_->loop.data = this;
    JOBQ_CHECK(uv_timer_init(&uv_->loop, &uv_->timer) == 0);
    // Waking up is all these callbacks do; run() calls turn() after every poll.
    JOBQ_CHECK(uv_async_init(&uv_->loop, &uv_->async, [](uv_async_t*) {}) == 0);
}

UvReactor::~UvReactor() {
    // What owners closed last may still wait for libuv's close callbacks or its DNS threads.
    uv_close(reinterpret_cast<uv_handle_t*>(&uv_->timer), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&uv_->async), nullptr);
    bool left_over = false;
    auto look = [](uv_handle_t* handle, void* found) {
        if (!uv_is_closing(handle)) *static_cast<bool*>(found) = true;
    };
    uv_walk(&uv_->loop, look, &left_over);
    JOBQ_CHECK(!left_over);  // a Stream, Listener, Child or SignalWatch outlived its reactor
    uv_run(&uv_->loop, UV_RUN_DEFAULT);
    JOBQ_CHECK(uv_loop_close(&uv_->loop) == 0);
}

int64_t UvReactor::now_ms() const {
    return clock_ns(CLOCK_MONOTONIC) / 1'000'000;
}

int64_t UvReactor::wall_ms() const {
    return clock_ns(CLOCK_REALTIME) / 1'000'000;
}

void UvReactor::post(std::coroutine_handle<> handle) {
    ready_.push_back(handle);
}

void UvReactor::defer(std::function<void()> fn) {
    deferred_.push_back(std::move(fn));
}

TimerId UvReactor::after(int64_t delay_ms, std::function<void()> fn) {
    // Rounded up: now_ms() rounds down, and a timer must not fire within the last fraction.
    int64_t now_up = (clock_ns(CLOCK_MONOTONIC) + 999'999) / 1'000'000;
    int64_t due = delay_ms <= 0 ? now_ms() : later_ms(now_up, delay_ms);
    TimerId id = next_timer_++;
    timers_.emplace(std::pair(due, id), std::move(fn));
    timer_times_.emplace(id, due);
    return id;
}

void UvReactor::cancel(TimerId id) {
    auto found = timer_times_.find(id);
    if (found == timer_times_.end()) return;
    timers_.erase(std::pair(found->second, id));
    timer_times_.erase(found);
}

void UvReactor::post_from_thread(std::function<void()> fn) {
    {
        std::lock_guard lock(uv_->mutex);
        uv_->from_threads.push_back(std::move(fn));
    }
    uv_async_send(&uv_->async);
}

void UvReactor::fire_timers() {
    // Only those due now: a timer that sets itself again at zero waits for the next turn.
    int64_t now = now_ms();
    TimerId newest = next_timer_;
    while (!timers_.empty()) {
        auto first = timers_.begin();
        auto [due, id] = first->first;
        if (due > now || id >= newest) return;
        auto fn = std::move(first->second);
        timers_.erase(first);
        timer_times_.erase(id);
        call(fn, "a timer");
    }
}

void UvReactor::drain() {
    for (size_t n = 0; n < kResumesPerRound && !ready_.empty(); ++n) {
        auto handle = ready_.front();
        ready_.pop_front();
        handle.resume();
    }
}

void UvReactor::turn() {
    int64_t started = clock_ns(CLOCK_MONOTONIC);
    waits().set_now(started / 1'000'000);
    std::vector<std::function<void()>> batch;
    {
        std::lock_guard lock(uv_->mutex);
        batch.swap(uv_->from_threads);
    }
    for (auto& fn : batch)
        call(fn, "a thread's call");
    if (!timers_.empty()) fire_timers();
    for (int round = 0; round < kRoundsPerTurn; ++round) {
        drain();
        if (!ready_.empty()) break;
        if (deferred_.empty()) break;
        batch.clear();
        batch.swap(deferred_);
        for (auto& fn : batch)
            call(fn, "a deferred call");
    }
    int64_t took_ns = clock_ns(CLOCK_MONOTONIC) - started;
    longest_turn_ms_ = std::max(longest_turn_ms_, took_ns / 1'000'000);
    if (on_turn_) on_turn_(took_ns / 1'000);
}

void UvReactor::arm_timer() {
    int64_t due = timers_.empty() ? -1 : timers_.begin()->first.first;
    // One that fired is no longer active and has to be set again even for the same time.
    bool active = uv_is_active(reinterpret_cast<uv_handle_t*>(&uv_->timer)) != 0;
    if (due == armed_for_ms_ && active == (due >= 0)) return;
    armed_for_ms_ = due;
    if (due < 0) {
        uv_timer_stop(&uv_->timer);
        return;
    }
    uv_update_time(&uv_->loop);
    int64_t wait = std::max<int64_t>(0, due - now_ms());
    // uv_run() fires a timer that is due before it polls, and would then wait for ever in the poll:
    // uv_stop() makes that poll return at once.
    uv_timer_start(
        &uv_->timer, [](uv_timer_t* timer) { uv_stop(timer->loop); }, uint64_t(wait), 0);
}

void UvReactor::run() {
    while (true) {
        turn();
        bool more = !ready_.empty() || !deferred_.empty();
        if (stopping_ && !more) break;
        arm_timer();
        uv_run(&uv_->loop, more ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    }
    stopping_ = false;
}

void UvReactor::stop() {
    stopping_ = true;
}

uv_loop_s* UvReactor::loop() {
    return &uv_->loop;
}

int64_t UvReactor::take_longest_turn_ms() {
    return std::exchange(longest_turn_ms_, 0);
}

}  // namespace jobq
