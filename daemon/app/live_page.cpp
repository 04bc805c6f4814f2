#include "daemon/app/live_page.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/version.h"
#include "core/json/writer.h"
#include "daemon/observe/process_figures.h"

namespace jobq {
namespace {

constexpr size_t kQueuesShown = 200, kTypesShown = 20;

void write_jobs(JsonWriter& json, const StoreStats& stats) {
    json.key("jobs").begin_object();
    for (size_t i = 0; i < kStateNames.size(); ++i)
        if (auto count = count_of(stats, State(i))) json.field(kStateNames[i], *count);
    json.end_object().key("totals").begin_object();
    for (const auto& [name, count] : {std::pair{"enqueued", stats.enqueued},
                                      {"succeeded", stats.succeeded},
                                      {"failed_attempts", stats.failed_attempts},
                                      {"died", stats.died},
                                      {"cancelled", stats.cancelled},
                                      {"expired", stats.expired}})
        json.field(name, count);
    json.end_object();
}

// The ones whose next job waits longest, then the longest.
void write_queues(JsonWriter& json, const std::vector<QueueInfo>& all, int64_t total,
                  int64_t now_ms) {
    std::vector<const QueueInfo*> shown;
    for (const auto& queue : all)
        shown.push_back(&queue);
    const auto before = [now_ms](const QueueInfo* a, const QueueInfo* b) {
        const int64_t one = a->age_ms(now_ms), other = b->age_ms(now_ms);
        if (one != other) return one > other;
        return a->size != b->size ? a->size > b->size : a->name < b->name;
    };
    const size_t count = std::min(shown.size(), kQueuesShown);
    std::partial_sort(shown.begin(), shown.begin() + std::ptrdiff_t(count), shown.end(), before);
    json.field("queues_total", total).key("queues").begin_array();
    for (size_t i = 0; i < count; ++i)
        json.begin_object()
            .field("name", shown[i]->name)
            .field("size", shown[i]->size)
            .field("latency_ms", shown[i]->age_ms(now_ms))
            .field("paused", shown[i]->paused)
            .end_object();
    json.end_array();
}

void write_pools(JsonWriter& json, const std::vector<PoolStatus>& pools) {
    json.key("pools").begin_array();
    for (const auto& pool : pools)
        json.begin_object()
            .field("name", pool.name)
            .field("kind", pool.kind)
            .field("slots", pool.slots)
            .field("busy", pool.busy)
            .field("queues", pool.queues)
            .end_object();
    json.end_array();
}

void write_workers(JsonWriter& json, const Workers& workers) {
    int64_t slots = 0;
    for (const auto& worker : workers.all())
        slots += worker->slots;
    json.key("workers").begin_object().field("count", int64_t(workers.size()));
    json.field("slots", slots).end_object();
}

void write_failures(JsonWriter& json, const JobMetrics::Failures& failures) {
    std::vector<std::pair<std::string, JobMetrics::Failed>> types(failures.begin(), failures.end());
    const size_t count = std::min(types.size(), kTypesShown);
    std::partial_sort(types.begin(), types.begin() + std::ptrdiff_t(count), types.end(),
                      [](const auto& a, const auto& b) {
                          return a.second.attempts != b.second.attempts
                                     ? a.second.attempts > b.second.attempts
                                     : a.first < b.first;
                      });
    json.key("failures").begin_array();
    for (size_t i = 0; i < count; ++i)
        json.begin_object()
            .field("type", types[i].first)
            .field("attempts", types[i].second.attempts)
            .field("died", types[i].second.died)
            .end_object();
    json.end_array();
}

void write_redis(JsonWriter& json, const LinkFigures& link, const StorageStatus& storage) {
    json.key("redis").begin_object();
    json.field("state", std::string(to_string(link.state)));
    json.field("round_trip_us", link.round_trips.p50_us).field("calls", int64_t(link.calls));
    json.field("connects", int64_t(link.connects)).field("in_flight", int64_t(link.in_flight));
    json.field("memory_bytes", storage.memory_bytes).field("memory_limit", storage.memory_limit);
    json.end_object().key("storage").begin_object();
    json.field("state", storage.refused ? "refused" : storage.full ? "full" : "good");
    json.field("text", storage.why());
    json.field("note", storage.note).field("durability", storage.durability);
    json.field("free_bytes", storage.free_bytes).field("log_bytes", storage.log_bytes);
    json.end_object();
}

void write_process(JsonWriter& json) {
    const ProcessFigures figures = process_figures();
    json.key("process").begin_object();
    json.field("resident_bytes", figures.resident_bytes).field("descriptors", figures.descriptors);
    json.field("descriptors_limit", figures.descriptors_limit);
    json.field("cpu_ms", int64_t(figures.cpu_s * 1000));
    json.field("started_at", int64_t(figures.started_s * 1000)).end_object();
}

std::optional<double> in_ms(std::optional<int64_t> ms) {
    return ms ? std::optional<double>(double(*ms)) : std::nullopt;
}

}  // namespace

LivePage::LivePage(UvReactor& reactor, const Config& config, const ShownParts& shown,
                   JobMetrics& jobs)
    : reactor_(reactor), shown_(shown), jobs_(jobs), feed_(make_feed(config)) {}

LiveFeed LivePage::make_feed(const Config& config) {
    std::vector<std::string> names{"enqueued", "succeeded", "failed",  "wait_p50",
                                   "wait_p99", "run_p50",   "run_p99", "ready",
                                   "running",  "latency",   "redis"};
    JsonWriter about;
    about.begin_object().field("version", version());
    about.field("read_only", config.listen.http_read_only).end_object();
    std::string members = about.take();
    members = members.substr(1, members.size() - 2);
    return {reactor_, std::move(names), std::move(members), [this] { wake(); },
            [this] { return take(); }};
}

task<void> LivePage::stop(Ending) {
    co_await feed_.stop();
}

// What was counted while nobody looked is not of the first second.
void LivePage::wake() {
    shown_.upkeep.sampler().look();
    jobs_.recent_wait().clear();
    jobs_.recent_run().clear();
}

// Per second, from the store's totals: they count what other daemons do too. A sample that is still
// the one before says what that said.
void LivePage::measure_rates(const StoreSample& sample) {
    const double seconds = double(sample.taken_ms - rated_ms_) / 1000;
    if (sample.taken_ms == 0 || seconds <= 0) return;
    const bool first = rated_ms_ == 0 || seconds > 30;
    const auto rate = [&](int64_t StoreStats::*total) -> std::optional<double> {
        if (first) return std::nullopt;
        return std::max(0.0, double(sample.stats.*total - rated_.*total) / seconds);
    };
    rates_ = {rate(&StoreStats::enqueued), rate(&StoreStats::succeeded),
              rate(&StoreStats::failed_attempts)};
    rated_ms_ = sample.taken_ms;
    rated_ = sample.stats;
}

LiveSample LivePage::take() {
    const StoreSample& sample = shown_.upkeep.sampler().look();
    measure_rates(sample);
    const int64_t now_ms = reactor_.wall_ms();
    int64_t latency_ms = 0;
    for (const auto& queue : sample.queues)
        if (!queue.paused) latency_ms = std::max(latency_ms, queue.age_ms(now_ms));
    const LinkFigures link = shown_.redis.figures();
    Spread& wait = jobs_.recent_wait();
    Spread& run = jobs_.recent_run();
    LiveSample live;
    live.taken_ms = now_ms;
    live.row.assign(rates_.begin(), rates_.end());
    live.row.insert(live.row.end(), {in_ms(wait.quantile(0.5)), in_ms(wait.quantile(0.99)),
                                     in_ms(run.quantile(0.5)), in_ms(run.quantile(0.99)),
                                     double(sample.stats.ready), double(sample.stats.running),
                                     double(latency_ms), double(link.round_trips.p50_us) / 1000});
    wait.clear();
    run.clear();
    JsonWriter json;
    json.begin_object().field("state", std::string(name(shown_.status.state)));
    json.field("sample_age_ms", sample.taken_ms == 0 ? -1 : reactor_.now_ms() - sample.taken_ms);
    write_jobs(json, sample.stats);
    write_queues(json, sample.queues, sample.queues_total, now_ms);
    write_pools(json, shown_.pools.statuses(shown_.broker.broker()));
    write_workers(json, shown_.workers);
    write_failures(json, jobs_.failures());
    write_redis(json, link, shown_.redis.storage());
    write_process(json);
    json.field("connections", shown_.counters.connections).end_object();
    live.members = json.take();
    live.members = live.members.substr(1, live.members.size() - 2);
    return live;
}

}  // namespace jobq
