// See top_state.h.
#include "cli/top/top_state.h"

#include <algorithm>

#include "core/base/text.h"

namespace jobq::cli {
namespace {

std::string shown(JsonView view) {
    return printable(view.text());
}

TopJobs read_jobs(JsonView jobs) {
    TopJobs read;
    read.ready = jobs["ready"].number();
    read.running = jobs["running"].number();
    read.scheduled = jobs["scheduled"].number();
    read.retrying = jobs["retrying"].number();
    read.blocked = jobs["blocked"].number();
    read.dead = jobs["dead"].number();
    read.enqueued = jobs["enqueued"].number();
    read.succeeded = jobs["succeeded"].number();
    read.failed_attempts = jobs["failed_attempts"].number();
    read.processed = jobs["processed"].number();
    return read;
}

TopPool read_pool(JsonView pool) {
    TopPool read;
    read.name = shown(pool["name"]);
    read.kind = shown(pool["kind"]);
    read.busy = pool["busy"].number();
    read.slots = pool["slots"].number();
    for (const JsonView queue : pool["queues"].items())
        read.queues += (read.queues.empty() ? "" : ", ") + shown(queue);
    return read;
}

TopWorker read_worker(JsonView worker) {
    TopWorker read;
    read.wid = shown(worker["wid"]);
    read.kind = shown(worker["kind"]);
    read.state = shown(worker["state"]);
    read.host = shown(worker["hostname"]) + ":" + shown(worker["pid"]);
    read.slots = worker["slots"].number();
    constexpr int64_t kNamed = 8;  // more than a line holds
    for (const JsonView job : worker["jobs"].items())
        if (++read.busy <= kNamed)
            read.jobs +=
                (read.jobs.empty() ? "" : ", ") + shown(job["type"]) + " " + shown(job["jid"]);
    return read;
}

}  // namespace

TopSnapshot read_snapshot(JsonView stats, JsonView workers, int64_t at_ms) {
    TopSnapshot read;
    read.at_ms = at_ms;
    read.now = shown(stats["now"]);
    read.version = shown(stats["version"]);
    read.uptime_s = stats["uptime_s"].number();
    read.connections = stats["connections"].number();
    read.memory_bytes = stats["memory_bytes"].number();
    read.redis = shown(stats["redis"]["state"]);
    const JsonView storage = stats["storage"];
    read.storage = shown(storage["state"]);
    read.storage_text = shown(storage["text"]);
    read.note = shown(storage["note"]);
    read.durability = shown(storage["durability"]);
    read.store_bytes = storage["memory_bytes"].number();
    read.store_limit_bytes = storage["memory_limit_bytes"].number();
    read.free_bytes = storage["free_bytes"].maybe_number();
    read.watchdog_woke = stats["watchdog_woke"].number();
    read.jobs = read_jobs(stats["jobs"]);
    for (const JsonView queue : stats["queues"].items())
        read.queues.push_back({shown(queue["name"]), queue["size"].number(),
                               queue["latency_ms"].number(), queue["paused"].flag()});
    for (const JsonView pool : stats["pools"].items())
        read.pools.push_back(read_pool(pool));
    for (const JsonView worker : workers["workers"].items())
        if (worker["kind"].text() != "pool") read.workers.push_back(read_worker(worker));
    return read;
}

std::optional<TopRates> rates_between(const TopSnapshot& before, const TopSnapshot& after) {
    const int64_t ms = after.at_ms - before.at_ms;
    if (ms <= 0) return std::nullopt;
    const TopJobs &old = before.jobs, &now = after.jobs;
    if (now.enqueued < old.enqueued || now.succeeded < old.succeeded ||
        now.failed_attempts < old.failed_attempts || now.processed < old.processed)
        return std::nullopt;
    const auto rate = [ms](int64_t count) { return double(count) * 1000 / double(ms); };
    return TopRates{rate(now.enqueued - old.enqueued), rate(now.processed - old.processed),
                    rate(now.succeeded - old.succeeded),
                    rate(now.failed_attempts - old.failed_attempts)};
}

std::string_view order_name(QueueOrder order) {
    switch (order) {
        case QueueOrder::size:
            return "size";
        case QueueOrder::latency:
            return "latency";
        case QueueOrder::name:
            break;
    }
    return "name";
}

QueueOrder next_order(QueueOrder order) {
    return order == QueueOrder::size      ? QueueOrder::latency
           : order == QueueOrder::latency ? QueueOrder::name
                                          : QueueOrder::size;
}

void sort_queues(std::vector<TopQueue>& queues, QueueOrder order) {
    std::sort(queues.begin(), queues.end(), [order](const TopQueue& a, const TopQueue& b) {
        if (order == QueueOrder::size && a.size != b.size) return a.size > b.size;
        if (order == QueueOrder::latency && a.latency_ms != b.latency_ms)
            return a.latency_ms > b.latency_ms;
        return a.name < b.name;
    });
}

}  // namespace jobq::cli
