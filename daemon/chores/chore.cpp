#include "daemon/chores/chore.h"

#include <utility>

namespace jobq {

void Chore::start() {
    if (std::exchange(started_, true) || stopping_) return;
    gate_.keep([this] { return run(); });
}

task<void> Chore::stop() {
    stopping_ = true;
    wake_.notify_all();
    co_await gate_.close();
}

bool Chore::is_known(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::storage_full;
}

int64_t Chore::lease_tick_ms() const {
    const bool idle = broker_.running().empty() && broker_.workers().size() == 0 &&
                      !broker_.returns().has_lost() && !broker_.leases().has_rest();
    return idle ? kIdleTickMs : kLeaseTickMs;
}

}  // namespace jobq
