// JobRecord and FinalRecord as text. encode_final() is on the path of every job and written by
// hand; the others run for jobs that failed, or when somebody looks.
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/text.h"
#include "core/job/codec.h"

namespace jobq {
namespace {

using nlohmann::json;

// Reading of JSON objects without exceptions: absent fields keep their default, a field of another
// type makes the whole bad.
struct Reader {
    const json& object;
    bool ok = true;

    const json* find(const char* key) const {
        auto found = object.find(key);
        return found == object.end() ? nullptr : &*found;
    }

    void text(const char* key, std::string& value) {
        const json* field = find(key);
        if (!field) return;
        if (auto* string = field->get_ptr<const std::string*>())
            value = *string;
        else
            ok = false;
    }

    template <class Int>
    void number(const char* key, Int& value) {
        const json* field = find(key);
        if (!field) return;
        auto* wide = field->get_ptr<const json::number_integer_t*>();
        bool wrapped = wide && field->is_number_unsigned() && *wide < 0;
        if (!wide || wrapped || !std::in_range<Int>(*wide)) {
            ok = false;
            return;
        }
        value = Int(*wide);
    }

    template <class Int>
    void number(const char* key, std::optional<Int>& value) {
        if (find(key)) number(key, value.emplace());
    }

    void lines(const char* key, std::vector<std::string>& value) {
        const json* field = find(key);
        if (!field) return;
        if (!field->is_array()) {
            ok = false;
            return;
        }
        for (const auto& line : *field) {
            auto* string = line.get_ptr<const std::string*>();
            if (!string) {
                ok = false;
                return;
            }
            value.push_back(*string);
        }
    }
};

json attempt_json(const Attempt& attempt) {
    json out{{"number", attempt.number}, {"outcome", name(attempt.outcome)}};
    if (attempt.started_ms) out["started"] = attempt.started_ms;
    if (attempt.ended_ms) out["ended"] = attempt.ended_ms;
    if (!attempt.error_type.empty()) out["type"] = attempt.error_type;
    if (!attempt.message.empty()) out["message"] = attempt.message;
    if (!attempt.backtrace.empty()) out["backtrace"] = attempt.backtrace;
    if (attempt.exit_code) out["exit"] = *attempt.exit_code;
    if (attempt.signal) out["signal"] = *attempt.signal;
    if (!attempt.worker.empty()) out["worker"] = attempt.worker;
    return out;
}

bool read_attempt(const json& object, Attempt& attempt) {
    if (!object.is_object()) return false;
    Reader in{object};
    std::string outcome;
    in.number("number", attempt.number);
    in.text("outcome", outcome);
    in.number("started", attempt.started_ms);
    in.number("ended", attempt.ended_ms);
    in.text("type", attempt.error_type);
    in.text("message", attempt.message);
    in.lines("backtrace", attempt.backtrace);
    in.number("exit", attempt.exit_code);
    in.number("signal", attempt.signal);
    in.text("worker", attempt.worker);
    auto known = outcome_from_name(outcome);
    if (known) attempt.outcome = *known;
    return in.ok && known;
}

// One member of the final record's JSON; left out at its default.
void put_member(std::string& out, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out.append(",\"").append(key).append("\":\"");
    if (is_utf8(value))
        append_json_escaped(out, value);
    else
        append_json_escaped(out, to_utf8(value));
    out += '"';
}

void put_member(std::string& out, std::string_view key, int64_t value) {
    if (value == 0) return;
    out.append(",\"").append(key).append("\":").append(std::to_string(value));
}

void put_member(std::string& out, std::string_view key, const std::optional<int>& value) {
    if (value) out.append(",\"").append(key).append("\":").append(std::to_string(*value));
}

}  // namespace

std::string encode_record(const JobRecord& record) {
    json out{{"attempts", record.attempts}};
    if (record.crashes) out["crashes"] = record.crashes;
    if (record.lost) out["lost"] = record.lost;
    if (record.first_failed_ms) out["first_failed"] = record.first_failed_ms;
    if (record.next_at_ms) out["next_at"] = record.next_at_ms;
    if (record.ready_ms) out["ready"] = record.ready_ms;
    if (!record.reason.empty()) out["reason"] = record.reason;
    if (!record.failure.empty()) out["failure"] = record.failure;
    for (const auto& attempt : record.errors)
        out["errors"].push_back(attempt_json(attempt));
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<JobRecord> decode_record(std::string_view text) {
    JobRecord record;
    json object = json::parse(text, nullptr, false);
    if (!object.is_object())
        return fail(ErrorCode::corrupt, "the stored record of a job is not a JSON object");
    Reader in{object};
    in.number("attempts", record.attempts);
    in.number("crashes", record.crashes);
    in.number("lost", record.lost);
    in.number("first_failed", record.first_failed_ms);
    in.number("next_at", record.next_at_ms);
    in.number("ready", record.ready_ms);
    in.text("reason", record.reason);
    in.text("failure", record.failure);
    if (const json* errors = in.find("errors")) {
        in.ok = in.ok && errors->is_array();
        for (const auto& error : *errors)
            in.ok = in.ok && read_attempt(error, record.errors.emplace_back());
    }
    if (!in.ok)
        return fail(ErrorCode::corrupt,
                    "the stored record of a job has a field that can't be read");
    return record;
}

std::string final_record_begin(State state) {
    return "{\"state\":\"" + std::string(name(state)) + "\"";
}

std::string encode_final(const FinalRecord& record) {
    std::string out = final_record_begin(record.state);
    out.reserve(256 + record.type.size() + record.queue.size() + record.worker.size() +
                record.tags.size() + record.result.size());
    put_member(out, "type", record.type);
    put_member(out, "queue", record.queue);
    put_member(out, "worker", record.worker);
    put_member(out, "created", record.created_ms);
    put_member(out, "started", record.started_ms);
    put_member(out, "finished", record.finished_ms);
    put_member(out, "attempts", int64_t(record.attempts));
    put_member(out, "exit", record.exit_code);
    put_member(out, "signal", record.signal);
    put_member(out, "user", record.user_cpu_ms);
    put_member(out, "system", record.system_cpu_ms);
    put_member(out, "rss", record.max_rss_kib);
    put_member(out, "tags", record.tags);
    put_member(out, "json", int64_t(record.result_is_json));
    put_member(out, "content", int64_t(record.content));
    put_member(out, "bytes", int64_t(record.result.size()));
    out += "}\n";
    out += record.result;
    return out;
}

Result<FinalRecord> decode_final(std::string_view bytes) {
    auto damaged = [](std::string_view what) {
        return fail(ErrorCode::corrupt,
                    "the stored record of a finished job can't be read: " + std::string(what));
    };
    size_t line = bytes.find('\n');
    if (line == bytes.npos) return damaged("it is cut off");
    json object = json::parse(bytes.substr(0, line), nullptr, false);
    if (!object.is_object()) return damaged("its head is not a JSON object");
    FinalRecord record;
    Reader in{object};
    std::string state;
    int is_json = 0;
    size_t result_bytes = 0;
    in.text("state", state);
    in.text("type", record.type);
    in.text("queue", record.queue);
    in.text("worker", record.worker);
    in.number("created", record.created_ms);
    in.number("started", record.started_ms);
    in.number("finished", record.finished_ms);
    in.number("attempts", record.attempts);
    in.number("exit", record.exit_code);
    in.number("signal", record.signal);
    in.number("user", record.user_cpu_ms);
    in.number("system", record.system_cpu_ms);
    in.number("rss", record.max_rss_kib);
    in.text("tags", record.tags);
    in.number("json", is_json);
    in.number("content", record.content);
    in.number("bytes", result_bytes);
    auto known = state_from_name(state);
    if (!in.ok || !known || !is_final(*known)) return damaged("a field of its head is wrong");
    if (result_bytes != bytes.size() - line - 1) return damaged("its result is cut off");
    record.state = *known;
    record.result_is_json = is_json != 0;
    record.result = bytes.substr(line + 1);
    return record;
}

}  // namespace jobq
