#include "daemon/observe/job_metrics.h"

#include <algorithm>

namespace jobq {
namespace {

// `name`, or "other" when there are too many.
std::string bounded(std::set<std::string, std::less<>>& known, const std::string& name) {
    if (known.contains(name)) return name;
    if (known.size() >= JobMetrics::kNames) return std::string(JobMetrics::kOther);
    known.insert(name);
    return name;
}

double in_seconds(int64_t ms) {
    return double(std::max<int64_t>(0, ms)) / 1000;
}

}  // namespace

JobMetrics::JobMetrics(Metrics& metrics)
    : metrics_(metrics),
      leases_expired_(metrics.counter(Metric::leases_expired)),
      leases_lost_(metrics.counter(Metric::leases_lost)) {}

JobMetrics::Series& JobMetrics::of(const std::string& queue, const std::string& type) {
    if (last_ && last_queue_ == queue && last_type_ == type) return *last_;
    std::pair<std::string, std::string> pair{bounded(queues_, queue), bounded(types_, type)};
    if (series_.size() >= kPairs && !series_.contains(pair))
        pair = {std::string(kOther), std::string(kOther)};
    auto [place, made] = series_.try_emplace(pair);
    Series& series = place->second;
    if (made) {
        series.queue = pair.first;
        series.type = pair.second;
        const MetricLabels both = labels(series);
        series.enqueued = &metrics_.counter(Metric::jobs_enqueued, both);
        series.started = &metrics_.counter(Metric::jobs_started, both);
        series.retried = &metrics_.counter(Metric::jobs_retried, both);
        series.wait = &metrics_.histogram(Metric::job_wait, {{"queue", series.queue}});
        series.duration = &metrics_.histogram(Metric::job_duration, {{"type", series.type}});
    }
    last_queue_ = queue;
    last_type_ = type;
    last_ = &series;
    return series;
}

MetricLabels JobMetrics::labels(const Series& series) const {
    return {{"queue", series.queue}, {"type", series.type}};
}

void JobMetrics::enqueued(const EnqueuedJob& what) {
    add(*of(what.job.queue, what.job.type).enqueued);
}

void JobMetrics::refused(ErrorCode why) {
    add(metrics_.counter(Metric::enqueue_refused, {{"code", std::string(info(why).name)}}));
}

void JobMetrics::started(const StartedJob& what) {
    // Since it was ready in its queue.
    const int64_t since_ms = enqueued_ms(what.job, what.record, what.at_ms);
    const int64_t wait_ms = since_ms == 0 ? 0 : std::max<int64_t>(0, what.at_ms - since_ms);
    Series& series = of(what.job.queue, what.job.type);
    add(*series.started);
    observe(*series.wait, in_seconds(wait_ms));
    recent_wait_.add(wait_ms);
}

void JobMetrics::ended(const EndedJob& what) {
    const std::string_view outcome = name(what.report.outcome);
    Series& series = of(what.job.queue, what.job.type);
    auto known = series.finished.find(outcome);
    if (known == series.finished.end()) {
        MetricLabels three = labels(series);
        three["outcome"] = outcome;
        auto& counter = metrics_.counter(Metric::jobs_finished, three);
        known = series.finished.emplace(outcome, &counter).first;
    }
    add(*known->second);
    const int64_t ran_ms = what.ran_ms();
    observe(*series.duration, in_seconds(ran_ms));
    recent_run_.add(ran_ms);
    if (what.report.outcome != Outcome::success) ++failures_[series.type].attempts;
    if (what.move == Move::retry) add(*series.retried);
    if (what.move == Move::dead && !what.reason.empty())
        died(what.job.queue, what.job.type, what.reason);
}

void JobMetrics::buried(const BuriedJob& what) {
    died(what.job.queue, what.job.type, what.reason);
}

void JobMetrics::died(const std::string& queue, const std::string& type, std::string_view reason) {
    const Series& series = of(queue, type);
    ++failures_[series.type].died;
    MetricLabels three = labels(series);
    three["reason"] = reason;
    add(metrics_.counter(Metric::jobs_dead, three));
}

void JobMetrics::expired(const Job& job) {
    add(metrics_.counter(Metric::jobs_expired, labels(of(job.queue, job.type))));
}

void JobMetrics::leases_expired(size_t count) {
    add(leases_expired_, double(count));
}

void JobMetrics::leases_lost(size_t count) {
    add(leases_lost_, double(count));
}

}  // namespace jobq
