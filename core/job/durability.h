// Durability: what "stored" means, the strongest first. Said by the configuration of a store, and
// by who enqueues a job as the least that is good enough.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jobq {

enum class Durability : uint8_t {
    fsync,     // on the disk before the answer
    everysec,  // on the disk within about a second
    memory,    // in memory, perhaps on a disk later
};

inline constexpr std::array<std::string_view, 3> kDurabilityNames{"fsync", "everysec", "memory"};

// Nothing for any other text.
inline std::optional<Durability> durability_of(std::string_view text) {
    auto at = std::find(kDurabilityNames.begin(), kDurabilityNames.end(), text);
    if (at == kDurabilityNames.end()) return std::nullopt;
    return Durability(at - kDurabilityNames.begin());
}

}  // namespace jobq
