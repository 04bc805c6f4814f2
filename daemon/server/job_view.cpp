#include "daemon/server/job_view.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/job_fields.h"

namespace jobq {
namespace {

void add_time(JsonWriter& json, std::string_view key, int64_t at_ms) {
    if (at_ms != 0) json.field(key, format_rfc3339(at_ms));
}

bool is_json(const JobField<std::string>& field) {
    return field.form != TextForm::plain;
}

template <class Number>
bool is_json(const JobField<Number>&) {
    return false;
}

void add_field(JsonWriter& json, const JobField<std::string>& field, const std::string& value) {
    if (value.empty()) return;
    if (is_json(field))
        json.raw(field.shown_as, value);
    else
        json.field(field.shown_as, value);
}

template <class Int>
void add_field(JsonWriter& json, const JobField<Int>& field, Int value) {
    if (field.schema == job_fields::kTime)
        add_time(json, field.shown_as, value);
    else if (value != 0)
        json.field(field.shown_as, value);
}

template <class Int>
void add_field(JsonWriter& json, const JobField<std::optional<Int>>& field,
               const std::optional<Int>& value) {
    if (value) json.field(field.shown_as, *value);
}

// By both of its names.
void add_end(JsonWriter& json, int64_t at_ms) {
    add_time(json, "finished_at", at_ms);
    add_time(json, "completed_at", at_ms);
}

void add_status(JsonWriter& json, std::optional<int> exit_code, std::optional<int> signal) {
    if (exit_code) json.field("exit_code", *exit_code);
    if (signal) json.field("signal", *signal);
}

void write_attempt(JsonWriter& json, const Attempt& attempt, bool with_backtrace) {
    json.begin_object().field("attempt", attempt.number).field("outcome", name(attempt.outcome));
    json.field("error_type", attempt.error_type).field("message", attempt.message);
    add_time(json, "started_at", attempt.started_ms);
    add_time(json, "ended_at", attempt.ended_ms);
    add_status(json, attempt.exit_code, attempt.signal);
    if (with_backtrace && !attempt.backtrace.empty()) json.field("backtrace", attempt.backtrace);
    if (!attempt.worker.empty()) json.field("worker", attempt.worker);
    json.end_object();
}

void write_final(JsonWriter& json, const FinalRecord& final) {
    add_time(json, "started_at", final.started_ms);
    add_end(json, final.finished_ms);
    add_status(json, final.exit_code, final.signal);
    if (!final.worker.empty()) json.field("worker", final.worker);
    if (final.started_ms != 0) {
        json.field("duration_ms", std::max<int64_t>(0, final.finished_ms - final.started_ms));
        json.field("user_cpu_ms", final.user_cpu_ms).field("system_cpu_ms", final.system_cpu_ms);
        json.field("max_rss_kib", final.max_rss_kib);
    }
}

void write_running(JsonWriter& json, const JobView& view, Broker& broker) {
    add_time(json, "started_at", view.started_ms);
    json.field("attempt", current_attempt(view.record));
    json.field("duration_ms", std::max<int64_t>(0, broker.reactor().wall_ms() - view.started_ms));
    const Running* known = broker.running().find(view.job.jid);
    if (known && !known->worker.empty()) json.field("worker", known->worker);
    if (view.cancel_asked) json.field("cancel_asked", true);
}

void write_args(JsonWriter& json, const JobView& view, JobDetail detail) {
    const Job& job = view.job;
    const bool whole = detail == JobDetail::payload && !view.corrupt && !job.args.empty();
    if (whole && job.args.size() <= kShownArgsBytes) json.key("args").raw(job.args);
    const size_t most = whole ? kShownArgsBytes : limits::kPreviewBytes;
    const std::string_view preview = utf8_prefix(job.args, most);
    json.field("args_preview", preview).field("args_bytes", view.args_bytes);
    if (int64_t(preview.size()) < view.args_bytes) json.field("args_cut", true);
    if (detail != JobDetail::payload) return;
    for_each_job_field([&](const auto& field) {
        if (field.shown == Shown::with_whole_job && !(view.corrupt && is_json(field)))
            add_field(json, field, job.*field.member);
    });
}

void write_errors(JsonWriter& json, const std::vector<Attempt>& errors, JobDetail detail) {
    json.key("errors").begin_array();
    const bool row = detail == JobDetail::row;
    for (size_t i = row && !errors.empty() ? errors.size() - 1 : 0; i < errors.size(); ++i)
        write_attempt(json, errors[i], !row);
    json.end_array();
}

void write_why(JsonWriter& json, const JobView& view, const WhyFacts& facts) {
    const Why why = why_of(view, facts);
    json.field("why", name(why.code));
    if (!why.text.empty()) json.field("note", why.text);
    if (!facts.place || view.state != State::ready) return;
    if (facts.place->ahead >= 0) json.field("ahead", facts.place->ahead);
    if (facts.place->holders.empty()) return;
    json.key("held_by").begin_array();
    for (const auto& [jid, worker] : facts.place->holders)
        json.begin_object().field("jid", jid).field("worker", worker).end_object();
    json.end_array();
}

}  // namespace

std::string_view status_word(State state) {
    switch (state) {
        case State::running:
            return "running";
        case State::succeeded:
            return "completed";
        case State::dead:
        case State::cancelled:
        case State::expired:
            return "failed";
        default:
            return "pending";
    }
}

WhyFacts why_facts(const JobView& view, Broker& broker, bool paused) {
    WhyFacts facts;
    facts.now_ms = broker.reactor().wall_ms();
    facts.paused = paused;
    if (view.state == State::running) facts.holder = broker.holders().advice(view.job.jid);
    if (view.state != State::ready) return facts;
    if (const StorageStatus storage = broker.storage().status(); storage.starts_nothing)
        facts.stopped = storage.text;
    auto queue = broker.config().queues.find(view.job.queue);
    if (queue != broker.config().queues.end())
        facts.limit = {queue->second.concurrency, queue->second.worker_concurrency};
    facts.no_handler = broker.dispatch().why_no_handler(view.job.type, view.job.queue);
    facts.awaited =
        broker.waiters().has_waited_since(view.job.queue, view.job.type, broker.reactor().now_ms());
    return facts;
}

void write_job(JsonWriter& json, const JobView& view, Broker& broker, const WhyFacts& facts,
               JobDetail detail) {
    const Job& job = view.job;
    json.begin_object().field("jid", job.jid).field("job_id", job.jid).field("type", job.type);
    json.field("queue", job.queue).field("state", name(view.state));
    json.field("status", status_word(view.state)).field("priority", job.priority);
    add_time(json, "created_at", job.created_ms);
    add_time(json, "run_at", job.run_at_ms);
    json.field("attempts", view.record.attempts);
    if (is_final(view.state)) {
        write_final(json, view.final);
    } else {
        if (job.max_attempts) json.field("max_attempts", *job.max_attempts);
        if (view.state == State::running) write_running(json, view, broker);
        if (view.state == State::retrying) add_time(json, "next_at", view.at_ms);
        if (view.state == State::dead) add_end(json, view.at_ms);
        if (view.state == State::dead && !view.record.errors.empty())
            add_status(json, view.record.errors.back().exit_code, view.record.errors.back().signal);
        write_args(json, view, detail);
    }
    if (view.record.crashes > 0) json.field("crashes", view.record.crashes);
    if (!view.record.reason.empty()) json.field("reason", view.record.reason);
    if (!job.tags.empty()) json.key("tags").raw(job.tags);
    write_errors(json, view.record.errors, detail);
    write_why(json, view, facts);
    json.field("has_result", !view.final.result.empty() || view.final.result_cut);
    json.end_object();
}

void write_queues(JsonWriter& json, const std::vector<QueueInfo>& queues, int64_t now_ms) {
    json.begin_array();
    for (const auto& queue : queues) {
        json.begin_object().field("name", queue.name).field("size", queue.size);
        json.field("paused", queue.paused);
        json.field("latency_ms", queue.age_ms(now_ms)).end_object();
    }
    json.end_array();
}

}  // namespace jobq
