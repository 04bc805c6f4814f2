#include "daemon/server/daemon_status.h"

#include "core/base/id.h"

namespace jobq {

std::string_view name(DaemonState state) {
    switch (state) {
        case DaemonState::starting:
            return "starting";
        case DaemonState::ready:
            return "ready";
        case DaemonState::stopping:
            return "stopping";
        case DaemonState::store_down:
            break;
    }
    return "store_down";
}

DaemonStatus::DaemonStatus(const RedisView& redis_in, std::string dir)
    : redis(redis_in), state_dir(std::move(dir)), life_(std::to_string(random_u64())) {
    config_changed();
}

void DaemonStatus::config_changed() {
    config_version_ = life_ + "." + std::to_string(++changes_);
}

std::optional<NotReady> DaemonStatus::not_ready() const {
    const std::string word(name(state));
    if (state == DaemonState::store_down) return NotReady{word, "Redis is " + redis.state_text()};
    if (state != DaemonState::ready) return NotReady{word, "jobqd is " + word};
    const StorageStatus storage = redis.storage();
    if (storage.refused) return NotReady{"writes_refused", storage.refused_text};
    if (storage.full) return NotReady{"storage_full", storage.text};
    return std::nullopt;
}

}  // namespace jobq
