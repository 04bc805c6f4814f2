// What `top` knows: one answer of jobqd to STATS and WORKERS, and rates from two of them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json/view.h"

namespace jobq::cli {

struct TopQueue {
    std::string name;
    int64_t size = 0, latency_ms = 0;
    bool paused = false;
};

struct TopPool {
    std::string name, kind, queues;
    int64_t busy = 0, slots = 0;
};

struct TopWorker {
    std::string wid, kind, state, host;
    std::string jobs;  // "email 01J..., report 01J..."
    int64_t busy = 0, slots = 0;
};

// Counts of jobs by state, and since the store began.
struct TopJobs {
    int64_t ready = 0, running = 0, scheduled = 0, retrying = 0, blocked = 0, dead = 0;
    int64_t enqueued = 0, succeeded = 0, failed_attempts = 0, processed = 0;
};

// Texts are printable: what somebody named a queue can't move the cursor.
struct TopSnapshot {
    int64_t at_ms = 0;  // monotonic, when it came
    std::string now, version, redis, storage, storage_text, note, durability;
    int64_t uptime_s = 0, connections = 0, memory_bytes = 0;
    int64_t store_bytes = 0, store_limit_bytes = 0;
    std::optional<int64_t> free_bytes;
    int64_t watchdog_woke = 0;
    TopJobs jobs;
    std::vector<TopQueue> queues;
    std::vector<TopPool> pools;
    std::vector<TopWorker> workers;  // pools are not among them: they have rows of their own
};

TopSnapshot read_snapshot(JsonView stats, JsonView workers, int64_t at_ms);

// Per second.
struct TopRates {
    double enqueued = 0, finished = 0, succeeded = 0, failed = 0;
};

// nullopt when no time lies between them, or when a count fell: another store, or one emptied.
std::optional<TopRates> rates_between(const TopSnapshot& before, const TopSnapshot& after);

enum class QueueOrder : uint8_t { size, latency, name };

std::string_view order_name(QueueOrder order);
QueueOrder next_order(QueueOrder order);
void sort_queues(std::vector<TopQueue>& queues, QueueOrder order);

}  // namespace jobq::cli
