// Structs to JSON; see runner_messages.h.
#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/writer.h"
#include "core/protocol/runner_messages.h"

namespace jobq {
namespace {

// Escapes make text grow up to sixfold: base64 is then shorter, and it is the only way for what is
// not UTF-8. So nothing grows by more than a third.
bool travels_as_text(std::string_view bytes) {
    size_t escaped = 0;
    for (char c : bytes) {
        bool pair =
            c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f';
        escaped += pair ? 2U : static_cast<unsigned char>(c) < 0x20 ? 6U : 1U;
    }
    return escaped <= bytes.size() + bytes.size() / 3 + 16 && is_utf8(bytes);
}

void write_bytes(JsonWriter& json, std::string_view text_key, std::string_view base64_key,
                 std::string_view bytes) {
    if (travels_as_text(bytes)) {
        json.field(text_key, bytes);
    } else {
        json.field(base64_key, base64_encode(bytes));
    }
}

void write_map(JsonWriter& json, std::string_view key,
               const std::map<std::string, std::string>& values) {
    json.key(key).begin_object();
    for (const auto& [name, value] : values)
        json.field(name, value);
    json.end_object();
}

void write_pool(JsonWriter& json, const PoolSpec& pool) {
    json.begin_object().field("name", pool.name);
    json.field("kind", pool.kind == PoolKind::child ? "child" : "exec").field("slots", pool.slots);
    json.key("queues").begin_array();
    for (const auto& queue : pool.queues)
        json.begin_object().field("name", queue.name).field("weight", queue.weight).end_object();
    json.end_array().field("strict", pool.strict);
    if (!pool.run.empty()) json.field("run", pool.run);
    if (!pool.env.empty()) write_map(json, "env", pool.env);
    if (!pool.cwd.empty()) json.field("cwd", pool.cwd);
    json.end_object();
}

void write_limits(JsonWriter& json, const ExecLimits& limits) {
    json.key("limits").begin_object();
    if (limits.memory_bytes) json.field("memory_bytes", limits.memory_bytes);
    if (limits.cpu_s) json.field("cpu_s", limits.cpu_s);
    if (limits.files) json.field("files", limits.files);
    if (limits.processes) json.field("processes", limits.processes);
    if (limits.nice) json.field("nice", *limits.nice);
    json.end_object();
}

void write_type(JsonWriter& json, const TypeSpec& type) {
    json.begin_object().field("run", type.run);
    json.field("timeout_ms", type.timeout_ms).field("grace_ms", type.grace_ms);
    write_map(json, "env", type.env);
    if (!type.cwd.empty()) json.field("cwd", type.cwd);
    json.field("umask", type.umask);
    json.key("exit").begin_object();
    for (const auto& [status, outcome] : type.exit)
        json.field(std::to_string(status), name(outcome));
    json.end_object();
    json.field("output_head_bytes", int64_t(type.output_head_bytes));
    json.field("output_tail_bytes", int64_t(type.output_tail_bytes));
    write_limits(json, type.limits);
    json.end_object();
}

void write_cut(JsonWriter& json, std::string_view at, std::string_view bytes, LeftOut cut) {
    if (cut) json.field(at, cut.at).field(bytes, cut.bytes);
}

void write_report(JsonWriter& json, const DoneReport& report) {
    const RunReport& run = report.run;
    json.begin_object().field("jid", report.jid).field("token", report.token);
    json.field("outcome", name(run.outcome));
    json.field("started_at", format_rfc3339(run.started_ms));
    json.field("ended_at", format_rfc3339(run.ended_ms));
    json.field("user_cpu_ms", run.user_cpu_ms).field("system_cpu_ms", run.system_cpu_ms);
    json.field("max_rss_kib", run.max_rss_kib).field("worker", run.worker);
    if (!run.error_type.empty()) json.field("error_type", run.error_type);
    if (!run.message.empty()) json.field("message", run.message);
    if (!run.backtrace.empty()) json.field("backtrace", run.backtrace);
    if (run.exit_code) json.field("exit_code", *run.exit_code);
    if (run.signal) json.field("signal", *run.signal);
    if (run.snooze_ms) json.field("snooze_ms", *run.snooze_ms);
    if (!run.result.empty()) write_bytes(json, "result", "result_b64", run.result);
    const bool has_result = !run.result.empty() || run.result_cut;
    if (has_result && run.result_is_json) json.field("result_json", true);
    write_cut(json, "result_cut_at", "result_cut", run.result_cut);
    if (!run.log.empty()) write_bytes(json, "log", "log_b64", run.log);
    write_cut(json, "log_cut_at", "log_cut", run.log_cut);
    if (!run.order.empty()) json.field("order", run.order);
    json.end_object();
}

void write_taken(JsonWriter& json, const TakenJob& job) {
    json.begin_object().field("jid", job.jid).field("type", job.type).field("queue", job.queue);
    json.field("attempt", job.attempt).field("max_attempts", job.max_attempts);
    json.field("token", job.token).field("timeout_ms", job.timeout_ms);
    json.field("deadline", job.deadline).field("payload_text", job.payload);
    if (!job.traceparent.empty()) json.field("traceparent", job.traceparent);
    json.end_object();
}

void write_answer(JsonWriter& json, const DoneAnswer& answer) {
    json.begin_object().field("jid", answer.jid).field("ok", answer.ok);
    if (!answer.ok) json.field("error", info(answer.error).name);
    json.end_object();
}

void write_chunk(JsonWriter& json, const OutputChunk& chunk) {
    json.begin_object().field("jid", chunk.jid).field("token", chunk.token);
    json.field("attempt", chunk.attempt);
    json.field("stream", name(chunk.piece.stream)).field("offset", chunk.piece.offset);
    json.field("at_ms", chunk.piece.at_ms);
    write_bytes(json, "text", "b64", chunk.piece.bytes);
    if (chunk.followed) json.field("followed", true);
    json.end_object();
}

void write_room(JsonWriter& json, const OutputRoom& room) {
    json.begin_object().field("jid", room.jid);
    if (room.room != OutputRoom::kNobody) json.field("room", room.room);
    if (!room.known) json.field("known", false);
    json.end_object();
}

void write_running(JsonWriter& json, const RunningJob& job) {
    json.begin_object().field("jid", job.jid).field("token", job.token);
    json.field("started_at", format_rfc3339(job.started_ms)).end_object();
}

// {"jobs":[...]}
template <class Items, class Write>
std::string write_jobs(const Items& items, Write one) {
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (const auto& item : items)
        one(json, item);
    json.end_array().end_object();
    return json.take();
}

constexpr std::string_view kBeatStates[] = {"running", "quiet", "ended"};
constexpr std::string_view kWorkerStates[] = {"running", "quiet", "terminate"};

}  // namespace

std::string request_line(std::string_view verb, std::string_view body) {
    std::string line = "JOBQ ";
    line.append(verb).append(" ").append(body).append("\n");
    return line;
}

std::string write(const PoolsRequest& request) {
    JsonWriter json;
    json.begin_object().field("runner", request.runner).end_object();
    return json.take();
}

std::string write(const Assignment& assignment) {
    JsonWriter json;
    json.begin_object().key("pools").begin_array();
    for (const auto& pool : assignment.pools)
        write_pool(json, pool);
    json.end_array().key("types").begin_object();
    for (const auto& [name, type] : assignment.types) {
        json.key(name);
        write_type(json, type);
    }
    json.end_object().field("run_allowed", assignment.run_allowed);
    json.field("version", assignment.version).end_object();
    return json.take();
}

std::string write(const TakeRequest& request) {
    JsonWriter json;
    json.begin_object().field("pool", request.pool).field("queues", request.queues);
    json.field("count", request.count).field("wait_ms", request.wait_ms);
    if (!request.types.empty()) json.field("types", request.types);
    if (!request.config.empty()) json.field("config", request.config);
    json.end_object();
    return json.take();
}

std::string write(std::span<const TakenJob> jobs) {
    return write_jobs(jobs, write_taken);
}

std::string write(std::span<const DoneReport* const> reports) {
    return write_jobs(
        reports, [](JsonWriter& json, const DoneReport* report) { write_report(json, *report); });
}

std::string write(std::span<const DoneAnswer> answers) {
    return write_jobs(answers, write_answer);
}

std::string write(const HeartbeatRequest& request) {
    JsonWriter json;
    json.begin_object().key("running").begin_array();
    for (const auto& job : request.running)
        write_running(json, job);
    json.end_array().field("wait_ms", request.wait_ms);
    json.field("state", kBeatStates[size_t(request.state)]).end_object();
    return json.take();
}

std::string write(const Notices& notices) {
    JsonWriter json;
    json.begin_object().field("cancel", notices.cancel).field("lost", notices.lost);
    json.field("state", kWorkerStates[size_t(notices.state)]);
    json.field("config", notices.config).end_object();
    return json.take();
}

std::string write(const OutputRequest& request) {
    if (request.chunks.empty()) {
        JsonWriter json;
        json.begin_object().field("wait_ms", request.wait_ms).end_object();
        return json.take();
    }
    return write_jobs(request.chunks, write_chunk);
}

std::string write(std::span<const OutputRoom> rooms) {
    return write_jobs(rooms, write_room);
}

}  // namespace jobq
