// JSON to structs, for what the runner receives from jobqd and from children; see wire.h. Missing
// fields keep their defaults; a field of the wrong kind makes the message unreadable as a whole.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/protocol/json_place.h"
#include "daemon/runner/wire.h"

namespace jobq {
namespace {

using nlohmann::json;

// nlohmann's own parser recurses in its destructor: refuse depth before building the value.
Result<json> parse_object(std::string_view text, const char* what) {
    if (!is_plain_json(text))
        return fail(ErrorCode::bad_data, std::string(what) + " is not JSON of at most " +
                                             std::to_string(limits::kJsonDepth) + " levels");
    json value = json::parse(text, nullptr, false);
    if (!value.is_object())
        return fail(ErrorCode::bad_data, std::string(what) + " is not a JSON object");
    return value;
}

template <class Fn>
auto guarded(std::string_view text, const char* what, Fn fn)
    -> Result<decltype(fn(std::declval<const json&>()))> {
    auto value = parse_object(text, what);
    if (!value) return tl::unexpected<Error>(value.error());
    try {
        return fn(*value);
    } catch (const json::exception& problem) {
        return fail(ErrorCode::bad_data,
                    std::string(what) + " has a field of the wrong kind: " + problem.what());
    }
}

using Strings = std::vector<std::string>;
using StringMap = std::map<std::string, std::string>;

Outcome exit_outcome(const std::string& text) {
    if (text == "retry") return Outcome::failure;
    return outcome_from_name(text).value_or(Outcome::failure);
}

ExecLimits limits_of(const json& value) {
    ExecLimits out;
    out.memory_bytes = value.value("memory_bytes", int64_t{0});
    out.cpu_s = value.value("cpu_s", int64_t{0});
    out.files = value.value("files", int64_t{0});
    out.processes = value.value("processes", int64_t{0});
    if (value.contains("nice") && !value["nice"].is_null()) out.nice = value["nice"].get<int>();
    return out;
}

PoolSpec pool_of(const json& value) {
    PoolSpec pool;
    pool.name = value.at("name").get<std::string>();
    pool.kind = value.value("kind", "exec") == "child" ? PoolKind::child : PoolKind::exec;
    pool.slots = std::max(0, value.value("slots", 1));
    pool.strict = value.value("strict", true);
    for (const auto& queue : value.at("queues"))
        pool.queues.push_back({queue.at("name").get<std::string>(), queue.value("weight", 1)});
    pool.run = value.value("run", Strings{});
    pool.env = value.value("env", StringMap{});
    pool.cwd = value.value("cwd", "");
    return pool;
}

TypeSpec type_of(const json& value) {
    TypeSpec type;
    type.run = value.value("run", Strings{});
    type.timeout_ms = value.value("timeout_ms", type.timeout_ms);
    type.grace_ms = value.value("grace_ms", type.grace_ms);
    type.env = value.value("env", StringMap{});
    type.cwd = value.value("cwd", "");
    for (const auto& [code, outcome] : value.value("exit", StringMap{})) {
        auto number = parse_int(code);
        if (number && *number >= 0 && *number <= 255)
            type.exit[int(*number)] = exit_outcome(outcome);
    }
    type.output_head_bytes = value.value("output_head_bytes", type.output_head_bytes);
    type.output_tail_bytes = value.value("output_tail_bytes", type.output_tail_bytes);
    if (value.contains("limits")) type.limits = limits_of(value["limits"]);
    return type;
}

TakenJob job_of(const json& value) {
    TakenJob job;
    job.jid = value.at("jid").get<std::string>();
    job.type = value.at("type").get<std::string>();
    job.token = value.at("token").get<std::string>();
    job.queue = value.value("queue", "default");
    job.attempt = value.value("attempt", 1);
    job.max_attempts = value.value("max_attempts", 0);
    job.timeout_ms = value.value("timeout_ms", int64_t{0});
    job.deadline = value.value("deadline", "");
    job.payload = value.at("payload_text").get<std::string>();
    job.traceparent = value.value("traceparent", "");
    return job;
}

ChildMessage message_of(const json& value) {
    using Kind = ChildMessage::Kind;
    ChildMessage message;
    message.jid = value.at("jid").get<std::string>();
    if (!value.contains("ok")) {
        message.progress = std::clamp<int64_t>(value.at("progress").get<int64_t>(), 0, 100);
        message.note = value.value("note", "");
        return message;
    }
    message.kind = value["ok"].get<bool>() ? Kind::success : Kind::failure;
    if (message.kind == Kind::success) {
        if (value.contains("result")) message.result = value["result"].dump();
    } else {
        message.error = value.value("error", "");
        message.error_kind = value.value("kind", "");
        message.retry = value.value("retry", true);
    }
    return message;
}

}  // namespace

bool is_plain_json(std::string_view text) {
    return !json_trouble(text, limits::kJsonDepth);
}

Result<Assignment> parse_assignment(const std::string& text) {
    return guarded(text, "the answer to POOLS", [](const json& value) {
        Assignment out;
        for (const auto& pool : value.at("pools"))
            out.pools.push_back(pool_of(pool));
        if (value.contains("types")) {
            for (const auto& [key, type] : value["types"].items())
                out.types.emplace(key, type_of(type));
        }
        out.run_allowed = value.value("run_allowed", false);
        out.version = value.value("version", "");
        return out;
    });
}

Result<Taken> parse_taken(const std::string& text) {
    return guarded(text, "the answer to TAKE", [](const json& value) {
        Taken out;
        for (const auto& job : value.at("jobs"))
            out.jobs.push_back(job_of(job));
        return out;
    });
}

Result<std::vector<DoneAnswer>> parse_done_answers(const std::string& text) {
    return guarded(text, "the answer to DONE", [](const json& value) {
        std::vector<DoneAnswer> out;
        for (const auto& job : value.at("jobs")) {
            DoneAnswer answer{job.at("jid").get<std::string>(), job.value("ok", false)};
            if (!answer.ok) answer.error = error_code_from_name(job.value("error", "INTERNAL"));
            out.push_back(std::move(answer));
        }
        return out;
    });
}

Result<Notices> parse_notices(const std::string& text) {
    return guarded(text, "the answer to HEARTBEAT", [](const json& value) {
        Notices out;
        out.cancel = value.value("cancel", Strings{});
        out.lost = value.value("lost", Strings{});
        std::string state = value.value("state", "running");
        if (state == "quiet") out.state = RunnerState::quiet;
        if (state == "terminate") out.state = RunnerState::terminate;
        out.config = value.value("config", "");
        return out;
    });
}

Result<RunRequest> parse_run_request(const std::string& payload) {
    auto request = guarded(payload, "the payload of a run job", [](const json& value) {
        RunRequest out;
        out.argv = value.at("argv").get<Strings>();
        out.cwd = value.value("cwd", "");
        out.env = value.value("env", StringMap{});
        return out;
    });
    if (request && (request->argv.empty() || request->argv[0].empty()))
        return fail(ErrorCode::bad_data, "the payload of a run job names no command in argv");
    // Relative to what? The runner's own directory means nothing to who wrote it.
    if (request && !request->cwd.empty() && !request->cwd.starts_with('/'))
        return fail(ErrorCode::bad_data, "the cwd of a run job must begin with /, and " +
                                             printable(request->cwd) + " does not");
    return request;
}

Result<ChildMessage> parse_child_message(std::string_view line) {
    return guarded(line, "a line of a child", [](const json& value) { return message_of(value); });
}

}  // namespace jobq
