// Structs to JSON lines, for what the runner sends; see wire.h. wire_parse.cpp reads.
// Must stay true: bytes that are not UTF-8 travel as base 64, never replaced.
#include "daemon/runner/wire.h"

#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq {
namespace {

using nlohmann::json;

std::string line(std::string_view verb, const json& body) {
    std::string out = "JOBQ ";
    out += verb;
    out += ' ';
    out += body.dump(-1, ' ', false, json::error_handler_t::replace);
    out += '\n';
    return out;
}

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

void put_bytes(json& into, const char* text_key, const char* base64_key, const std::string& bytes) {
    if (travels_as_text(bytes)) {
        into[text_key] = bytes;
    } else {
        into[base64_key] = base64_encode(bytes);
    }
}

json done_json(const DoneReport& report) {
    const RunReport& run = report.run;
    json out{{"jid", report.jid},
             {"token", report.token},
             {"outcome", name(run.outcome)},
             {"started_at", format_rfc3339(run.started_ms)},
             {"ended_at", format_rfc3339(run.ended_ms)},
             {"user_cpu_ms", run.user_cpu_ms},
             {"system_cpu_ms", run.system_cpu_ms},
             {"max_rss_kib", run.max_rss_kib},
             {"worker", run.worker}};
    if (!run.error_type.empty()) out["error_type"] = run.error_type;
    if (!run.message.empty()) out["message"] = run.message;
    if (!run.backtrace.empty()) out["backtrace"] = run.backtrace;
    if (run.exit_code) out["exit_code"] = *run.exit_code;
    if (run.signal) out["signal"] = *run.signal;
    if (run.snooze_ms) out["snooze_ms"] = *run.snooze_ms;
    if (!run.result.empty()) {
        put_bytes(out, "result", "result_b64", run.result);
        if (run.result_is_json) out["result_json"] = true;
    }
    if (!run.log.empty()) put_bytes(out, "log", "log_b64", run.log);
    return out;
}

}  // namespace

std::string format_hello(const std::string& wid, const std::string& hostname, int64_t pid,
                         int slots) {
    json body{{"v", 2},     {"jobq", 1},
              {"wid", wid}, {"hostname", hostname},
              {"pid", pid}, {"labels", json::array({slots > 0 ? "work" : "runner"})}};
    if (slots > 0) body["slots"] = slots;
    return "HELLO " + body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string format_pools(const std::string& runner) {
    return line("POOLS", json{{"runner", runner}});
}

std::string format_take(const PoolSpec& pool, const std::vector<std::string>& queues, int count,
                        int64_t wait_ms) {
    json body{{"pool", pool.name}, {"queues", queues}, {"count", count}, {"wait_ms", wait_ms}};
    if (!pool.types.empty()) body["types"] = pool.types;
    return line("TAKE", body);
}

std::string format_heartbeat(const std::vector<RunningJob>& running, int64_t wait_ms, bool quiet) {
    json jobs = json::array();
    for (const auto& job : running) {
        jobs.push_back(json{{"jid", job.jid},
                            {"token", job.token},
                            {"started_at", format_rfc3339(job.started_ms)}});
    }
    return line("HEARTBEAT", json{{"running", std::move(jobs)},
                                  {"wait_ms", wait_ms},
                                  {"state", quiet ? "quiet" : "running"}});
}

std::string format_goodbye() {
    return line("HEARTBEAT", json{{"running", json::array()}, {"wait_ms", 0}, {"state", "ended"}});
}

std::string format_done(const std::vector<const DoneReport*>& reports) {
    json jobs = json::array();
    for (const auto* report : reports)
        jobs.push_back(done_json(*report));
    return line("DONE", json{{"jobs", std::move(jobs)}});
}

std::string format_output(const std::vector<OutputChunk>& chunks) {
    json jobs = json::array();
    for (const auto& chunk : chunks) {
        json job{{"jid", chunk.jid},
                 {"token", chunk.token},
                 {"attempt", chunk.attempt},
                 {"stream", chunk.stream == OutputStream::out ? "stdout" : "stderr"},
                 {"offset", chunk.offset}};
        put_bytes(job, "text", "b64", chunk.bytes);
        jobs.push_back(std::move(job));
    }
    return line("OUTPUT", json{{"jobs", std::move(jobs)}});
}

std::string format_child_job(const TakenJob& job) {
    json head{{"jid", job.jid},
              {"type", job.type},
              {"queue", job.queue},
              {"attempt", job.attempt},
              {"deadline", job.deadline}};
    if (!job.traceparent.empty()) head["traceparent"] = job.traceparent;
    std::string out = head.dump(-1, ' ', false, json::error_handler_t::replace);
    out.pop_back();
    out += ",\"args\":";
    size_t payload_at = out.size();
    out += job.payload.empty() ? "null" : job.payload;
    // Between the tokens of JSON a line break is a blank; inside a string it can't be.
    for (size_t i = payload_at; i < out.size(); ++i)
        if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
    out += "}\n";
    return out;
}

}  // namespace jobq
