// JSON to structs; see runner_messages.h.
#include "core/protocol/runner_messages.h"

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/document.h"
#include "core/json/field_reader.h"

namespace jobq {
namespace {

int clamped(int64_t value, int64_t min, int64_t max) {
    return int(std::clamp(value, min, max));
}

int small(FieldReader& from, std::string_view key, int fallback = 0) {
    return clamped(from.number(key, fallback), INT32_MIN, INT32_MAX);
}

std::optional<int> small_if_there(FieldReader& from, std::string_view key) {
    if (!from.has(key)) return std::nullopt;
    return small(from, key);
}

int64_t time_of(FieldReader& from, std::string_view key) {
    return parse_rfc3339_ms(from.text(key)).value_or(0);
}

std::string bytes_of(FieldReader& from, std::string_view key, std::string_view base64_key) {
    if (!from.has(base64_key)) return from.text(key);
    auto bytes = base64_decode(from.text(base64_key));
    if (!bytes) from.refuse("\"" + std::string(base64_key) + "\" is not base64");
    return bytes.value_or("");
}

// `one` reads each object of the array `key`, which must be there; `into` has its first error.
template <class Read>
auto read_each(FieldReader& into, std::string_view key, Read one) {
    std::vector<decltype(one(into))> items;
    for (const auto& element : into.required_elements(key)) {
        FieldReader from(element.raw);
        items.push_back(one(from));
        if (from.error()) into.refuse(*from.error());
        if (into.error()) break;
    }
    return items;
}

Outcome exit_outcome(const std::string& text) {
    if (text == "retry") return Outcome::failure;
    return outcome_from_name(text).value_or(Outcome::failure);
}

PoolSpec read_pool(FieldReader& from) {
    PoolSpec pool;
    pool.name = from.some_text("name");
    pool.kind = from.text("kind", "exec") == "child" ? PoolKind::child : PoolKind::exec;
    pool.slots = std::max(0, small(from, "slots", 1));
    pool.strict = from.flag("strict", true);
    pool.queues = read_each(from, "queues", [](FieldReader& queue) {
        return QueueWeight{queue.some_text("name"), small(queue, "weight", 1)};
    });
    pool.run = from.texts("run");
    pool.env = from.text_map("env");
    pool.cwd = from.text("cwd");
    return pool;
}

ExecLimits read_limits(FieldReader& from) {
    ExecLimits limits;
    limits.memory_bytes = from.number("memory_bytes");
    limits.cpu_s = from.number("cpu_s");
    limits.files = from.number("files");
    limits.processes = from.number("processes");
    limits.nice = small_if_there(from, "nice");
    return limits;
}

TypeSpec read_type(FieldReader& from) {
    TypeSpec type;
    type.run = from.texts("run");
    type.timeout_ms = from.number("timeout_ms", type.timeout_ms);
    type.grace_ms = from.number("grace_ms", type.grace_ms);
    type.env = from.text_map("env");
    type.cwd = from.text("cwd");
    type.umask = int(from.number("umask", type.umask)) & 0777;
    for (const auto& [code, outcome] : from.text_map("exit")) {
        auto number = parse_int(code);
        if (number && *number >= 0 && *number <= 255)
            type.exit[int(*number)] = exit_outcome(outcome);
    }
    const auto bytes = [&from](std::string_view key, size_t fallback) {
        return size_t(std::max<int64_t>(0, from.number(key, int64_t(fallback))));
    };
    type.output_head_bytes = bytes("output_head_bytes", type.output_head_bytes);
    type.output_tail_bytes = bytes("output_tail_bytes", type.output_tail_bytes);
    if (const JsonField* given = from.field("limits")) {
        FieldReader limits(given->raw);
        type.limits = read_limits(limits);
        if (limits.error()) from.refuse(*limits.error());
    }
    return type;
}

TakenJob read_job(FieldReader& from) {
    TakenJob job;
    job.jid = from.some_text("jid");
    job.type = from.some_text("type");
    job.token = from.some_text("token");
    job.queue = from.text("queue", "default");
    job.attempt = small(from, "attempt", 1);
    job.max_attempts = small(from, "max_attempts");
    job.timeout_ms = from.number("timeout_ms");
    job.deadline = from.text("deadline");
    if (!from.has("payload_text")) from.refuse("\"payload_text\" is required");
    job.payload = from.text("payload_text");
    job.traceparent = from.text("traceparent");
    return job;
}

LeftOut read_cut(FieldReader& from, std::string_view at, std::string_view bytes) {
    constexpr int64_t kMost = int64_t(1) << 50;  // nobody wrote so much
    return {std::clamp<int64_t>(from.number(at), 0, kMost),
            std::clamp<int64_t>(from.number(bytes), 0, kMost)};
}

DoneReport read_report(FieldReader& from) {
    DoneReport report;
    report.jid = from.some_text("jid");
    report.token = from.some_text("token");
    RunReport& run = report.run;
    auto outcome = outcome_from_name(from.some_text("outcome"));
    if (!outcome) from.refuse("\"outcome\" is unknown");
    run.outcome = outcome.value_or(Outcome::failure);
    run.error_type = from.text("error_type");
    run.message = from.text("message");
    run.backtrace = from.texts("backtrace");
    run.exit_code = small_if_there(from, "exit_code");
    run.signal = small_if_there(from, "signal");
    if (from.has("snooze_ms")) run.snooze_ms = from.number("snooze_ms");
    run.started_ms = time_of(from, "started_at");
    run.ended_ms = time_of(from, "ended_at");
    run.result = bytes_of(from, "result", "result_b64");
    run.result_cut = read_cut(from, "result_cut_at", "result_cut");
    // JSON that was too long is left out whole.
    const bool refused = run.result.empty() && run.result_cut;
    run.result_is_json =
        from.flag("result_json") && (refused || check_json(run.result).has_value());
    run.log = bytes_of(from, "log", "log_b64");
    run.log_cut = read_cut(from, "log_cut_at", "log_cut");
    run.order = from.text("order");
    run.user_cpu_ms = from.number("user_cpu_ms");
    run.system_cpu_ms = from.number("system_cpu_ms");
    run.max_rss_kib = from.number("max_rss_kib");
    run.worker = from.text("worker");
    return report;
}

DoneAnswer read_answer(FieldReader& from) {
    DoneAnswer answer{from.some_text("jid"), from.flag("ok")};
    if (!answer.ok) answer.error = error_code_from_name(from.text("error", "INTERNAL"));
    return answer;
}

RunningJob read_running(FieldReader& from) {
    return {from.some_text("jid"), from.some_text("token")};
}

OutputChunk read_chunk(FieldReader& from) {
    OutputChunk chunk;
    chunk.jid = from.some_text("jid");
    chunk.token = from.text("token");
    chunk.attempt = small(from, "attempt", 1);
    OutputPiece& piece = chunk.piece;
    piece.stream = from.text("stream") == "stdout" ? OutputStream::out : OutputStream::err;
    piece.offset = from.number("offset");
    piece.at_ms = from.number("at_ms");
    piece.bytes = bytes_of(from, "text", "b64");
    chunk.followed = from.flag("followed");
    return chunk;
}

OutputRoom read_room(FieldReader& from) {
    return {from.some_text("jid"), from.number("room", OutputRoom::kNobody),
            from.flag("known", true)};
}

}  // namespace

Result<Assignment> read_assignment(std::string_view text) {
    FieldReader from(text);
    Assignment assignment;
    assignment.pools = read_each(from, "pools", read_pool);
    for (const auto& member : from.members("types")) {
        FieldReader type(member.raw);
        assignment.types.insert_or_assign(member.key, read_type(type));
        if (type.error()) from.refuse(*type.error());
    }
    assignment.run_allowed = from.flag("run_allowed");
    assignment.version = from.text("version");
    return from.whole("the answer to POOLS", std::move(assignment));
}

Result<TakeRequest> read_take(std::string_view text) {
    FieldReader from(text);
    TakeRequest take;
    take.pool = from.text("pool");
    take.config = from.text("config");
    take.queues = from.some_texts("queues");
    take.types = from.texts("types");
    take.count = clamped(from.number("count", 1), 1, limits::kListPageMax);
    take.wait_ms = std::clamp<int64_t>(from.number("wait_ms"), 0, limits::kFetchWaitMaxMs);
    return from.whole("TAKE", std::move(take));
}

Result<std::vector<TakenJob>> read_taken(std::string_view text) {
    FieldReader from(text);
    auto jobs = read_each(from, "jobs", read_job);
    return from.whole("the answer to TAKE", std::move(jobs));
}

Result<std::vector<DoneReport>> read_done(std::string_view text) {
    FieldReader from(text);
    auto reports = read_each(from, "jobs", read_report);
    return from.whole("DONE", std::move(reports));
}

Result<std::vector<DoneAnswer>> read_done_answers(std::string_view text) {
    FieldReader from(text);
    auto answers = read_each(from, "jobs", read_answer);
    return from.whole("the answer to DONE", std::move(answers));
}

Result<HeartbeatRequest> read_heartbeat(std::string_view text) {
    FieldReader from(text);
    HeartbeatRequest beat;
    if (from.has("running")) beat.running = read_each(from, "running", read_running);
    beat.wait_ms = std::clamp<int64_t>(from.number("wait_ms"), 0, limits::kBeatEveryMs);
    const std::string state = from.text("state");
    if (state == "quiet") beat.state = BeatState::quiet;
    if (state == "ended") beat.state = BeatState::ended;
    return from.whole("HEARTBEAT", std::move(beat));
}

Result<Notices> read_notices(std::string_view text) {
    FieldReader from(text);
    Notices notices;
    notices.cancel = from.texts("cancel");
    notices.lost = from.texts("lost");
    const std::string state = from.text("state");
    if (state == "quiet") notices.state = WorkerState::quiet;
    if (state == "terminate") notices.state = WorkerState::terminate;
    notices.config = from.text("config");
    return from.whole("the answer to HEARTBEAT", std::move(notices));
}

Result<OutputRequest> read_output(std::string_view text) {
    FieldReader from(text);
    OutputRequest request;
    if (from.has("jobs")) request.chunks = read_each(from, "jobs", read_chunk);
    request.wait_ms = std::clamp<int64_t>(from.number("wait_ms"), 0, limits::kFetchWaitMaxMs);
    return from.whole("OUTPUT", std::move(request));
}

Result<std::vector<OutputRoom>> read_output_rooms(std::string_view text) {
    FieldReader from(text);
    std::vector<OutputRoom> rooms;
    if (from.has("jobs")) rooms = read_each(from, "jobs", read_room);
    return from.whole("the answer to OUTPUT", std::move(rooms));
}

}  // namespace jobq
