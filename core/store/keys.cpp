// Key names and retention buckets: see keys.h. Changing either is a new store schema.
// Called by RedisStore for every script call.
#include "core/store/keys.h"

namespace jobq {

Keys::Keys(std::string_view name_space) {
    prefix_.append("jobq:{").append(name_space).append("}:");
}

std::string Keys::of(std::string_view what) const {
    std::string key;
    key.reserve(prefix_.size() + what.size());
    return key.append(prefix_).append(what);
}

std::string header_of(const std::string& queue, int priority) {
    return std::to_string(priority) + queue;
}

std::string member_of(const std::string& queue, int priority, const std::string& jid) {
    return header_of(queue, priority) + " " + jid;
}

int64_t bucket_second(int64_t now_ms, int64_t retention_ms) {
    constexpr int64_t kHourMs = 3'600'000;
    int64_t width_s = retention_ms <= kHourMs ? 300 : retention_ms <= 48 * kHourMs ? 3'600 : 86'400;
    int64_t width_ms = width_s * 1000;
    return (now_ms + retention_ms + width_ms - 1) / width_ms * width_s;
}

}  // namespace jobq
