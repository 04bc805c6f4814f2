// Attributes follow OpenTelemetry's conventions for messaging where they have one, else jobq.*;
// jobq-traces(7) has the list.
#include "daemon/observe/tracer.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/job_trace.h"

namespace jobq {
namespace {

constexpr size_t kStackBytes = 4'096;
constexpr std::array<const char*, 4> kDropNames{"queue_full", "collector", "rejected", "stopped"};

bool is_bad(Outcome outcome) {
    return outcome == Outcome::failure || outcome == Outcome::dead || outcome == Outcome::crash ||
           outcome == Outcome::timeout;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) {
        if (text.size() + line.size() > kStackBytes) break;
        text.append(line).append(1, '\n');
    }
    return text;
}

std::string first_of(const std::string& text, std::string_view otherwise, size_t bytes) {
    return std::string(utf8_prefix(text.empty() ? otherwise : std::string_view(text), bytes));
}

}  // namespace

Tracer::Tracer(Reactor& reactor, Metrics& metrics)
    : reactor_(reactor),
      metrics_(metrics),
      exported_(metrics.counter(Metric::trace_spans)),
      failures_(metrics.counter(Metric::trace_failures)) {
    for (const char* reason : kDropNames)
        metrics.counter(Metric::trace_dropped, {{"reason", reason}});
}

Tracer::Belongs Tracer::belongs(const Job& job) const {
    auto given = given_trace(job);
    if (given) return {given->trace, given->span, given->sampled};
    const TraceId own = own_trace(job);
    return {own, std::nullopt, keeps_trace(own, ratio_)};
}

std::string Tracer::trace_id_of(const Job& job) const {
    if (!on_) return TraceNames::trace_id_of(job);
    const Belongs to = belongs(job);
    return to.kept || to.caller ? hex(to.trace) : std::string();
}

std::string Tracer::traceparent_of(const Job& job, const JobRecord& record,
                                   int64_t leased_ms) const {
    if (!on_) return TraceNames::traceparent_of(job, record, leased_ms);
    const Belongs to = belongs(job);
    const SpanId run = span_id_of(job, JobSpan::run, current_attempt(record), leased_ms);
    return format_traceparent({to.trace, run, to.kept});
}

Span Tracer::start_of(const Job& job, const Belongs& to, const char* operation) const {
    Span span;
    span.trace = to.trace;
    span.name.append(operation).append(1, ' ').append(job.queue);
    auto& attributes = span.attributes;
    attributes.reserve(13);
    attributes.emplace_back("messaging.system", "jobq");
    attributes.emplace_back("messaging.destination.name", job.queue);
    attributes.emplace_back("messaging.operation.name", operation);
    attributes.emplace_back("messaging.message.id", job.jid);
    attributes.emplace_back("jobq.job.type", job.type);
    return span;
}

void Tracer::enqueued(const EnqueuedJob& what) {
    if (on_ && what.whole) put_enqueue(what.job);
}

void Tracer::ended(const EndedJob& end) {
    if (!on_) return;
    put_attempt(end);
    if (end.follow) put_enqueue(*end.follow);
}

void Tracer::put_enqueue(const Job& job) {
    const Belongs to = belongs(job);
    if (!to.kept || !has_room(1)) return;
    const int64_t now_ms = reactor_.wall_ms();
    Span span = start_of(job, to, "enqueue");
    span.id = span_id_of(job, JobSpan::enqueue);
    span.role = SpanRole::producer;
    span.parent = to.caller;
    span.parent_is_remote = span.parent.has_value();
    span.start_us = std::min(job.created_ms, now_ms) * 1000;
    span.end_us = now_ms * 1000;
    span.attributes.emplace_back("messaging.operation.type", "send");
    if (job.run_at_ms > now_ms)
        span.attributes.emplace_back("jobq.job.run_at", format_rfc3339(job.run_at_ms));
    put(std::move(span));
}

// The clock of the one who ran it may be another than ours: its times are kept within what is known
// here.
void Tracer::put_attempt(const EndedJob& end) {
    const RunReport& report = end.report;
    const bool given_back =
        report.outcome == Outcome::released || report.outcome == Outcome::snooze;
    if (given_back && report.started_ms == 0 && report.started_us == 0) return;  // it did not run
    const Belongs to = belongs(end.job);
    if (!to.kept || !has_room(2)) return;
    const int64_t now_us = reactor_.wall_ms() * 1000 + 999, leased_us = end.leased_ms * 1000;
    const int64_t ready_us = enqueued_ms(end.job, end.record, end.leased_ms) * 1000;
    const int64_t least_us = std::min(std::max(ready_us, leased_us), now_us);
    int64_t start_us = report.started_us ? report.started_us : report.started_ms * 1000;
    start_us = std::clamp(start_us, least_us, now_us);
    Span wait = start_of(end.job, to, "wait");
    const int attempt = current_attempt(end.record);
    wait.id = span_id_of(end.job, JobSpan::wait, attempt, end.leased_ms);
    wait.parent = span_id_of(end.job, JobSpan::enqueue);
    wait.start_us = ready_us == 0 ? start_us : std::min(ready_us, start_us);
    wait.end_us = start_us;
    wait.attributes.emplace_back("jobq.job.attempt", attempt);
    Span run = run_of(end, to, start_us);
    run.parent = wait.id;
    put(std::move(wait));
    put(std::move(run));
}

Span Tracer::run_of(const EndedJob& end, const Belongs& to, int64_t start_us) const {
    const RunReport& report = end.report;
    const int attempt = current_attempt(end.record);
    const int64_t now_us = reactor_.wall_ms() * 1000 + 999;
    Span run = start_of(end.job, to, "run");
    run.id = span_id_of(end.job, JobSpan::run, attempt, end.leased_ms);
    run.role = SpanRole::consumer;
    run.start_us = start_us;
    const int64_t end_us = report.ended_us ? report.ended_us : report.ended_ms * 1000;
    run.end_us = std::clamp(end_us, start_us, now_us);
    auto& attributes = run.attributes;
    attributes.emplace_back("messaging.operation.type", "process");
    attributes.emplace_back("jobq.job.attempt", attempt);
    attributes.emplace_back("jobq.outcome", std::string(name(report.outcome)));
    attributes.emplace_back("jobq.job.state", std::string(info(end.move).state));
    if (!end.reason.empty()) attributes.emplace_back("jobq.dead.reason", std::string(end.reason));
    if (!end.worker.empty())
        attributes.emplace_back("messaging.client.id", std::string(end.worker));
    if (report.exit_code) attributes.emplace_back("jobq.exit_code", *report.exit_code);
    if (report.signal) attributes.emplace_back("jobq.signal", *report.signal);
    if (!is_bad(report.outcome)) return run;
    SpanError& error = run.error.emplace();
    error.type = first_of(report.error_type, name(report.outcome), limits::kErrorTypeBytes);
    error.message = first_of(report.message, name(report.outcome), limits::kErrorMessageBytes);
    error.stack = joined(report.backtrace);
    error.at_us = run.end_us;
    attributes.emplace_back("error.type", error.type);
    return run;
}

bool Tracer::has_room(size_t spans) {
    if (spans_.size() + spans <= kSpans) return true;
    dropped(SpanDrop::queue_full, spans);
    return false;
}

void Tracer::put(Span span) {
    spans_.push_back(std::move(span));
    if (on_span_) on_span_();
}

std::vector<Span> Tracer::take(size_t most) {
    const auto count = long(std::min(most, spans_.size()));
    std::vector<Span> taken(std::make_move_iterator(spans_.begin()),
                            std::make_move_iterator(spans_.begin() + count));
    spans_.erase(spans_.begin(), spans_.begin() + count);
    return taken;
}

void Tracer::sent(size_t count) {
    add(exported_, double(count));
}

void Tracer::dropped(SpanDrop why, size_t count) {
    if (count == 0) return;
    add(metrics_.counter(Metric::trace_dropped, {{"reason", kDropNames[size_t(why)]}}),
        double(count));
}

void Tracer::failed() {
    add(failures_);
}

}  // namespace jobq
