// StoreFigures: how many jobs are where, and what they failed of. Changes nothing. Called by those
// who sample, watch and show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/job/cause.h"
#include "core/job/state.h"

namespace jobq {

struct QueueInfo {
    std::string name;
    int64_t size = 0;  // ready jobs
    bool paused = false;
    int64_t oldest_ms = 0;  // when the next job became ready (wall clock); 0: empty
    std::string next_type;  // of that job

    // How long that job has waited; 0: there is none, or the clock was set back.
    int64_t age_ms(int64_t now_ms) const {
        return oldest_ms == 0 || now_ms < oldest_ms ? 0 : now_ms - oldest_ms;
    }
};

// Which queues: those named, or a page of all, in the order of their names' bytes.
struct QueueRequest {
    std::vector<std::string> names{};
    std::string after{};  // "" from the start, else what the last page returned
    int limit = limits::kListPageMax;
    bool latency = false;  // with oldest_ms
};

struct QueuePage {
    std::vector<QueueInfo> queues;
    std::string next;   // "": that was all
    int64_t known = 0;  // how many there are in all
};

// Failed jobs of one cause.
struct FailedGroup {
    std::string id;  // Cause::fingerprint(), or "other": causes beyond limits::kFailedGroups
    Cause cause;
    int64_t dead = 0, retrying = 0;       // now
    int64_t since_ms = 0, latest_ms = 0;  // wall clock, of failures: the group's first and last
    std::string latest;                   // jid of the last one; it may have gone on

    bool operator==(const FailedGroup&) const = default;
};

struct FailedGroups {
    std::vector<FailedGroup> groups;  // by id
    bool all = true;  // false: jobs of a store of an older jobqd are still being counted
};

struct StoreStats {
    // Since the store was made, or the last flush.
    int64_t enqueued = 0, succeeded = 0, failed_attempts = 0, died = 0, cancelled = 0, expired = 0,
            dropped = 0, removed = 0, processed = 0;
    // Now.
    int64_t scheduled = 0, retrying = 0, dead = 0, ready = 0, running = 0, blocked = 0;

    bool operator==(const StoreStats&) const = default;
};

// How many jobs are in that state now. Those that are over are not counted: nothing.
constexpr std::optional<int64_t> count_of(const StoreStats& stats, State state) {
    switch (state) {
        case State::scheduled:
            return stats.scheduled;
        case State::blocked:
            return stats.blocked;
        case State::ready:
            return stats.ready;
        case State::running:
            return stats.running;
        case State::retrying:
            return stats.retrying;
        case State::dead:
            return stats.dead;
        default:
            return std::nullopt;
    }
}

class StoreFigures {
  public:
    virtual ~StoreFigures() = default;

    virtual task<Result<StoreStats>> stats() = 0;
    // Those of the named that are known, or a page of all.
    virtual task<Result<QueuePage>> queue_page(QueueRequest request) = 0;
    // Jobs that are dead or retrying, by what they failed of. Exact.
    virtual task<Result<FailedGroups>> failed_groups() = 0;

    // All known queues, by name: as many pages as it takes.
    task<Result<std::vector<QueueInfo>>> queues(bool latency);
};

}  // namespace jobq
