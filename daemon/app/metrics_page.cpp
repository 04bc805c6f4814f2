#include "daemon/app/metrics_page.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "core/async/contain.h"
#include "core/base/limits.h"
#include "core/base/version.h"
#include "daemon/observe/log.h"
#include "daemon/observe/process_figures.h"

namespace jobq {
namespace {

void fill_jobs(Metrics::Sheet& sheet, const StoreStats& stats) {
    for (size_t i = 0; i < kStateNames.size(); ++i)
        if (auto count = count_of(stats, State(i)))
            sheet.set(Metric::jobs, double(*count), {{"state", std::string(kStateNames[i])}});
}

// Beyond so many queues the rest are one, as in JobMetrics.
void fill_queues(Metrics::Sheet& sheet, const std::vector<QueueInfo>& queues, int64_t now_ms) {
    int64_t other_jobs = 0, other_paused = 0;
    double other_age_s = 0;
    for (size_t i = 0; i < queues.size(); ++i) {
        const QueueInfo& queue = queues[i];
        const double age_s = double(queue.age_ms(now_ms)) / 1000;
        if (i >= JobMetrics::kNames) {
            other_jobs += queue.size;
            other_paused += queue.paused;
            other_age_s = std::max(other_age_s, age_s);
            continue;
        }
        sheet.set(Metric::queue_jobs, double(queue.size), {{"queue", queue.name}});
        sheet.set(Metric::queue_latency, age_s, {{"queue", queue.name}});
        sheet.set(Metric::queue_paused, queue.paused, {{"queue", queue.name}});
    }
    if (queues.size() <= JobMetrics::kNames) return;
    const MetricLabels other{{"queue", std::string(JobMetrics::kOther)}};
    sheet.set(Metric::queue_jobs, double(other_jobs), other);
    sheet.set(Metric::queue_latency, other_age_s, other);
    sheet.set(Metric::queue_paused, double(other_paused), other);
}

void fill_workers(Metrics::Sheet& sheet, const Workers& workers) {
    std::map<std::pair<std::string, std::string>, int> counts;
    std::map<std::string, int64_t> slots;
    for (const auto& worker : workers.all()) {
        std::string kind(name(worker->kind));
        ++counts[{kind, std::string(name(worker->state))}];
        slots[kind] += worker->slots;
    }
    for (const auto& [key, count] : counts)
        sheet.set(Metric::workers, count, {{"kind", key.first}, {"state", key.second}});
    for (const auto& [kind, count] : slots)
        sheet.set(Metric::worker_slots, double(count), {{"kind", kind}});
}

void fill_link(Metrics::Sheet& sheet, const LinkFigures& link) {
    sheet.set(Metric::redis_up, link.state == LinkState::ready);
    sheet.set(Metric::redis_calls, double(link.calls));
    sheet.set(Metric::redis_unknown, double(link.unknown));
    sheet.set(Metric::redis_unavailable, double(link.unavailable));
    sheet.set(Metric::redis_connects, double(link.connects));
    sheet.set(Metric::redis_in_flight, double(link.in_flight));
    sheet.set(Metric::redis_waiting, double(link.waiting));
}

void fill_storage(Metrics::Sheet& sheet, const StorageStatus& storage) {
    sheet.set(Metric::redis_memory, double(storage.memory_bytes));
    sheet.set(Metric::redis_memory_limit, double(storage.memory_limit));
    if (storage.refused)
        sheet.set(Metric::redis_writes_refused, 1, {{"reason", storage.refused_reason}});
    sheet.set(Metric::storage_full, storage.full);
    sheet.set(Metric::storage_free, double(storage.free_bytes));
    sheet.set(Metric::storage_log, double(storage.log_bytes));
}

int64_t serves_ms(const std::string& text) {
    return text.size() > limits::kScrapeFreshBytes ? limits::kScrapeAgeMs : 0;
}

void fill_process(Metrics::Sheet& sheet) {
    const ProcessFigures figures = process_figures();
    sheet.set(Metric::process_cpu, figures.cpu_s);
    sheet.set(Metric::process_resident, double(figures.resident_bytes));
    sheet.set(Metric::process_virtual, double(figures.virtual_bytes));
    sheet.set(Metric::process_fds, double(figures.descriptors));
    sheet.set(Metric::process_fds_limit, double(figures.descriptors_limit));
    sheet.set(Metric::process_start, figures.started_s);
}

}  // namespace

MetricsPage::MetricsPage(UvReactor& reactor, const ShownParts& shown, Metrics& metrics,
                         const WebhooksPart& webhooks)
    : reactor_(reactor), shown_(shown), metrics_(metrics), webhooks_(webhooks), one_text_(reactor) {
    auto& turns = metrics.histogram(Metric::loop_lag);
    reactor_.on_turn([&turns](int64_t us) { observe(turns, double(us) / 1e6); });
    for (const char* part : {"session", "http", "sender", "task", "loop"})
        metrics.counter(Metric::contained, {{"part", part}});
    on_escape([&metrics](const Escape& escape) {
        log(LogLevel::error, "error.contained",
            escape.what + "; only the failed part was ended, please report this",
            {{"part", std::string(escape.part)}, {"where", escape.context}});
        add(metrics.counter(Metric::contained, {{"part", std::string(escape.part)}}));
    });
    metrics.on_scrape([this](Metrics::Sheet& sheet) { fill(sheet); });
}

MetricsPage::~MetricsPage() {
    reactor_.on_turn({});
    on_escape({});
}

task<Result<std::string>> MetricsPage::render() {
    std::string text = co_await metrics_.text_in_turns(reactor_);
    co_return text;
}

// Many series cost the loop milliseconds: one text serves all who scrape within a second.
task<std::string> MetricsPage::text() {
    std::function<task<Result<std::string>>()> make = std::bind(&MetricsPage::render, this);
    auto text = co_await one_text_.get(make, serves_ms);
    co_return **text;
}

void MetricsPage::fill(Metrics::Sheet& sheet) {
    Broker& broker = shown_.broker.broker();
    const StoreSample& sample = shown_.upkeep.sampler().look();
    if (sample.taken_ms != 0) {
        fill_jobs(sheet, sample.stats);
        fill_queues(sheet, sample.queues, reactor_.wall_ms());
        sheet.set(Metric::sample_age, double(reactor_.now_ms() - sample.taken_ms) / 1000);
    }
    sheet.set(Metric::jobs_running, double(broker.running().size()));
    for (const auto& pool : shown_.pools.statuses(broker)) {
        const MetricLabels labels{{"pool", pool.name}, {"kind", pool.kind}};
        sheet.set(Metric::pool_slots, pool.slots, labels);
        sheet.set(Metric::pool_busy, pool.busy, labels);
    }
    sheet.set(Metric::webhooks_in_flight, webhooks_.in_flight());
    fill_workers(sheet, shown_.workers);
    sheet.set(Metric::ready, !shown_.status.not_ready());
    sheet.set(Metric::connections, shown_.counters.connections);
    sheet.set(Metric::commands, double(shown_.counters.commands));
    sheet.set(Metric::watchdog_woke, double(shown_.counters.watchdog_woke));
    fill_link(sheet, shown_.redis.figures());
    fill_storage(sheet, shown_.redis.storage());
    sheet.set(Metric::build_info, 1,
              {{"version", std::string(version())}, {"compiler", __VERSION__}});
    fill_process(sheet);
}

}  // namespace jobq
