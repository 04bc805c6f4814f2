#include "daemon/chores/promoter.h"

#include <algorithm>

#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kScanMs = 30'000, kIdleMs = 3'600'000;
constexpr int64_t kLookMs = 1'000;  // a wall clock that jumps forward is noticed within it
constexpr int64_t kAgainMs = 500;

}  // namespace

Promoter::Promoter(Broker& broker, bool shared_store) : Chore(broker), shared_store_(shared_store) {
    broker_.on_due([this](int64_t at_wall_ms) { note_due(at_wall_ms); });
}

Promoter::~Promoter() {
    broker_.on_due(nullptr);
}

void Promoter::note_due(int64_t at_wall_ms) {
    if (due_wall_ms_ != 0 && at_wall_ms >= due_wall_ms_) return;
    due_wall_ms_ = std::max<int64_t>(at_wall_ms, 1);
    wake_.notify_all();
}

void Promoter::look_now() {
    due_wall_ms_ = 1;
    wake_.notify_all();
}

task<void> Promoter::run() {
    while (!stopping()) {
        const int64_t now = reactor_.wall_ms();
        if (due_wall_ms_ == 0 || due_wall_ms_ > now) {
            const int64_t idle = shared_store_ ? kScanMs : kIdleMs;
            const int64_t left =
                due_wall_ms_ == 0 ? idle : std::min<int64_t>(due_wall_ms_ - now, kLookMs);
            auto wait = wake_.wait(left);
            const bool woken = co_await wait;
            const bool scan = !woken && due_wall_ms_ == 0;
            if (!scan) continue;
        }
        due_wall_ms_ = 0;  // what is enqueued while the store looks sets it again
        auto promoted = co_await broker_.promote();
        if (!promoted) {
            if (!is_known(promoted.error()))
                log(LogLevel::warn, "chore.promote_failed", promoted.error().text);
            due_wall_ms_ = reactor_.wall_ms() + kAgainMs;
            continue;
        }
        const int64_t next = promoted->more ? 1 : promoted->next_due_ms;
        if (next != 0 && (due_wall_ms_ == 0 || next < due_wall_ms_)) due_wall_ms_ = next;
    }
}

}  // namespace jobq
