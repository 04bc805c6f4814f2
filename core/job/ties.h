// Ties: what binds a new job to others: a lock that keeps its like out, a batch it belongs to, and
// whether its progress is followed. Said at enqueue; the store keeps them apart from the envelope
// while the job lives and settles them in the step that ends it, so that no lock outlives its job.
// Meanings as in Faktory Enterprise's custom.unique_for, unique_until, bid and track.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jobq {

struct Ties {
    std::string lock;         // unique_digest(), or "": nothing is unique about it
    int64_t lock_for_ms = 0;  // from the time it is due
    bool until_start = false;
    std::string bid;  // "": no batch
    bool tracked = false;

    bool none() const { return lock.empty() && bid.empty() && !tracked; }

    // As the store keeps them: see keys.h.
    std::string words() const;

    bool operator==(const Ties&) const = default;
};

// 32 hex digits, equal for jobs of the same queue, type and args; white space between the tokens of
// args does not count. BLAKE2b. Requires: args is checked JSON.
std::string unique_digest(std::string_view queue, std::string_view type, std::string_view args);

}  // namespace jobq
