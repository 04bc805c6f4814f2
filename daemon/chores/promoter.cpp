#include "daemon/chores/promoter.h"

#include <algorithm>

#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kScanMs = 30'000, kIdleMs = 3'600'000;
constexpr int64_t kClockLookMs = 1'000;  // a wall clock that jumps forward is noticed within it
constexpr int64_t kAgainMs = 500;

}  // namespace

Promoter::Promoter(Broker& broker, bool shared_store)
    : Chore(broker, &broker.wakeups().schedule.changed),
      shared_store_(shared_store),
      schedule_(broker.wakeups().schedule) {}

task<void> Promoter::run() {
    while (!stopping()) {
        const int64_t now = reactor_.wall_ms(), due = schedule_.next_ms();
        if (due == 0 || due > now) {
            const int64_t idle = shared_store_ ? kScanMs : kIdleMs;
            const int64_t left = due == 0 ? idle : std::min<int64_t>(due - now, kClockLookMs);
            auto wait = wake_.wait(left);
            const bool woken = co_await wait;
            const bool scan = !woken && schedule_.next_ms() == 0;
            if (!scan) continue;
        }
        schedule_.set(0);  // what is enqueued while the store looks sets it again
        auto promoted = co_await broker_.dispatch().promote();
        if (!promoted) {
            if (!is_known(promoted.error()))
                log(LogLevel::warn, "chore.promote_failed", promoted.error().text);
            schedule_.set(reactor_.wall_ms() + kAgainMs);
            continue;
        }
        const int64_t next = promoted->more ? 1 : promoted->next_due_ms;
        if (next != 0) schedule_.add(next);
    }
}

}  // namespace jobq
