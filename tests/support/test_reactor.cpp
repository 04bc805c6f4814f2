// TestReactor: see test_reactor.h. Its turn is that of the real one: ready queue, deferred, timers.
#include "tests/support/test_reactor.h"

#include <algorithm>
#include <limits>

#include "core/base/time.h"

namespace jobq::test {

TimerId TestReactor::after(int64_t delay_ms, std::function<void()> fn) {
    TimerId id = next_timer_++;
    timers_.emplace(id, Timer{later_ms(now_, std::max<int64_t>(delay_ms, 0)), std::move(fn)});
    return id;
}

void TestReactor::cancel(TimerId id) {
    timers_.erase(id);
}

bool TestReactor::run_ready() {
    if (ready_.empty()) return false;
    while (!ready_.empty()) {
        auto next = ready_.begin();
        if (mixed_) next += std::ptrdiff_t(rng_.below(ready_.size()));
        auto handle = *next;
        ready_.erase(next);
        handle.resume();
    }
    return true;
}

bool TestReactor::run_deferred() {
    if (deferred_.empty()) return false;
    auto batch = std::move(deferred_);
    deferred_.clear();
    for (auto& fn : batch)
        fn();
    return true;
}

bool TestReactor::run_due_timers() {
    std::vector<TimerId> due;
    for (const auto& [id, timer] : timers_)
        if (timer.at <= now_) due.push_back(id);
    if (due.empty()) return false;
    std::stable_sort(due.begin(), due.end(),
                     [this](TimerId a, TimerId b) { return timers_.at(a).at < timers_.at(b).at; });
    if (mixed_)
        for (size_t i = due.size(); i > 1; --i)
            std::swap(due[i - 1], due[rng_.below(i)]);
    for (TimerId id : due) {
        auto found = timers_.find(id);
        if (found == timers_.end()) continue;  // one that fired before cancelled it
        auto fn = std::move(found->second.fn);
        timers_.erase(found);
        ++fired_;
        fn();
    }
    return true;
}

void TestReactor::run_until_idle() {
    while (run_ready() || run_deferred() || run_due_timers()) {
    }
}

int64_t TestReactor::next_due_ms() const {
    int64_t next = std::numeric_limits<int64_t>::max();
    for (const auto& [id, timer] : timers_)
        next = std::min(next, timer.at);
    return next;
}

bool TestReactor::busy() const {
    return !ready_.empty() || !deferred_.empty() || next_due_ms() <= now_;
}

bool TestReactor::advance_to_next_timer() {
    run_until_idle();
    if (timers_.empty()) return false;
    now_ = std::max(now_, next_due_ms());
    run_until_idle();
    return true;
}

void TestReactor::advance(int64_t ms) {
    int64_t end = now_ + ms;
    run_until_idle();
    while (true) {
        int64_t next = next_due_ms();
        if (next > end) break;
        now_ = next;
        run_until_idle();
    }
    now_ = end;
    run_until_idle();
}

}  // namespace jobq::test
