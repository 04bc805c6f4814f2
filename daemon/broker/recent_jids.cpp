// See recent_jids.h. A Bloom filter of two intervals; drops are few, and kept as they are.
#include "daemon/broker/recent_jids.h"

#include <utility>

#include "core/base/limits.h"

namespace jobq {
namespace {

constexpr int64_t kIntervalMs = 30'000;
constexpr uint64_t kBits = 1U << 23;
constexpr int kProbes = 4;
constexpr size_t kDropsMost = 100'000;

}  // namespace

void RecentJids::turn(int64_t now_ms) {
    if (now_ms - since_ms_ < kIntervalMs) return;
    std::swap(seen_[0], seen_[1]);
    if (now_ms - since_ms_ >= 2 * kIntervalMs) seen_[1].clear();
    seen_[0].assign(kBits / 64, 0);
    since_ms_ = now_ms;
}

bool RecentJids::see(std::string_view jid, int64_t now_ms) {
    turn(now_ms);
    if (seen_[0].empty()) seen_[0].assign(kBits / 64, 0);
    const uint64_t hash = std::hash<std::string_view>()(jid);
    const uint64_t step = (hash >> 32) | 1;
    std::array<bool, 2> all{true, !seen_[1].empty()};
    for (uint64_t i = 0; i < kProbes; ++i) {
        const uint64_t bit = (hash + i * step) % kBits, mask = uint64_t(1) << (bit % 64);
        uint64_t& word = seen_[0][bit / 64];
        all[0] = all[0] && (word & mask) != 0;
        all[1] = all[1] && (seen_[1][bit / 64] & mask) != 0;
        word |= mask;
    }
    return all[0] || all[1] || now_ms < doubt_until_ms_;
}

void RecentJids::dropped(const std::string& jid, uint32_t content, int64_t now_ms) {
    drops_in_order_.push_back(jid);
    drops_[jid] = {content, now_ms};
    while (!drops_in_order_.empty()) {
        auto first = drops_.find(drops_in_order_.front());
        const bool old = first == drops_.end() || now_ms - first->second.at_ms >= limits::kRepeatMs;
        if (!old && drops_.size() <= kDropsMost) break;
        if (first != drops_.end()) drops_.erase(first);
        drops_in_order_.pop_front();
    }
}

bool RecentJids::was_dropped(const std::string& jid, uint32_t content, int64_t now_ms) const {
    auto found = drops_.find(jid);
    return found != drops_.end() && found->second.content == content &&
           now_ms - found->second.at_ms < limits::kRepeatMs;
}

}  // namespace jobq
