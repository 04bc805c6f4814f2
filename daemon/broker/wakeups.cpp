#include "daemon/broker/wakeups.h"

#include "core/base/limits.h"

namespace jobq {

void Wakeups::ready(const Counts& jobs) {
    for (const auto& [what, count] : jobs)
        waiters.notify(what.first, what.second, count);
}

void Wakeups::note_unknown(const Error& error) {
    if (error.code != ErrorCode::unknown) return;
    again_ms_ = reactor_.now_ms() + 2 * limits::kRedisDeadlineMs;
}

void Wakeups::look_again() {
    if (again_ms_ == 0 || reactor_.now_ms() < again_ms_) return;
    again_ms_ = 0;
    schedule.due(0);
    waiters.notify_all();
}

}  // namespace jobq
