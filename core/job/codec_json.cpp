// JobRecord and FinalRecord as text. encode_final() is on the path of every job; the others run for
// jobs that failed, or when somebody looks. Members are left out at their default.
#include <utility>

#include "core/job/codec.h"
#include "core/json/field_reader.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

void put(JsonWriter& json, std::string_view key, std::string_view value) {
    if (!value.empty()) json.field(key, value);
}

void put(JsonWriter& json, std::string_view key, int64_t value) {
    if (value != 0) json.field(key, value);
}

void put(JsonWriter& json, std::string_view key, const std::optional<int>& value) {
    if (value) json.field(key, *value);
}

void take(FieldReader& in, std::string_view key, std::string& value) {
    value = in.text(key, std::move(value));
}

template <class Int>
void take(FieldReader& in, std::string_view key, Int& value) {
    const int64_t wide = in.number(key, int64_t(value));
    if (!std::in_range<Int>(wide)) return in.refuse("a number is out of range");
    value = Int(wide);
}

template <class Int>
void take(FieldReader& in, std::string_view key, std::optional<Int>& value) {
    if (in.has(key)) take(in, key, value.emplace());
}

// Sorted by name, as all versions of jobq wrote it.
void write_attempt(JsonWriter& json, const Attempt& attempt) {
    json.begin_object();
    if (!attempt.backtrace.empty()) json.field("backtrace", attempt.backtrace);
    put(json, "ended", attempt.ended_ms);
    put(json, "exit", attempt.exit_code);
    put(json, "message", attempt.message);
    json.field("number", attempt.number).field("outcome", name(attempt.outcome));
    put(json, "signal", attempt.signal);
    put(json, "started", attempt.started_ms);
    put(json, "type", attempt.error_type);
    put(json, "worker", attempt.worker);
    json.end_object();
}

bool read_attempt(const JsonField& field, Attempt& attempt) {
    if (field.kind != JsonField::Kind::object) return false;
    FieldReader in(field.raw);
    take(in, "number", attempt.number);
    take(in, "started", attempt.started_ms);
    take(in, "ended", attempt.ended_ms);
    take(in, "type", attempt.error_type);
    take(in, "message", attempt.message);
    attempt.backtrace = in.texts("backtrace");
    take(in, "exit", attempt.exit_code);
    take(in, "signal", attempt.signal);
    take(in, "worker", attempt.worker);
    auto known = outcome_from_name(in.text("outcome"));
    if (known) attempt.outcome = *known;
    return !in.error() && known;
}

}  // namespace

std::string encode_record(const JobRecord& record) {
    auto json = JsonWriter::object();
    json.field("attempts", record.attempts);
    put(json, "crashes", record.crashes);
    if (!record.errors.empty()) {
        json.key("errors").begin_array();
        for (const auto& attempt : record.errors)
            write_attempt(json, attempt);
        json.end_array();
    }
    put(json, "failure", record.failure);
    put(json, "first_failed", record.first_failed_ms);
    put(json, "lost", record.lost);
    put(json, "next_at", record.next_at_ms);
    put(json, "ready", record.ready_ms);
    put(json, "reason", record.reason);
    return json.end_object().take();
}

Result<JobRecord> decode_record(std::string_view text) {
    JobRecord record;
    FieldReader in(text);
    if (in.error())
        return fail(ErrorCode::corrupt, "the stored record of a job is not a JSON object");
    take(in, "attempts", record.attempts);
    take(in, "crashes", record.crashes);
    take(in, "lost", record.lost);
    take(in, "first_failed", record.first_failed_ms);
    take(in, "next_at", record.next_at_ms);
    take(in, "ready", record.ready_ms);
    take(in, "reason", record.reason);
    take(in, "failure", record.failure);
    for (const auto& error : in.elements("errors"))
        if (!read_attempt(error, record.errors.emplace_back())) in.refuse("an attempt is wrong");
    if (in.error())
        return fail(ErrorCode::corrupt,
                    "the stored record of a job has a field that can't be read");
    return record;
}

std::string final_record_begin(State state) {
    return "{\"state\":\"" + std::string(name(state)) + "\"";
}

std::string encode_final(const FinalRecord& record) {
    auto json =
        JsonWriter::object(256 + record.type.size() + record.queue.size() + record.worker.size() +
                           record.tags.size() + record.result.size());
    json.field("state", name(record.state));
    put(json, "type", record.type);
    put(json, "queue", record.queue);
    put(json, "worker", record.worker);
    put(json, "created", record.created_ms);
    put(json, "started", record.started_ms);
    put(json, "finished", record.finished_ms);
    put(json, "attempts", int64_t(record.attempts));
    put(json, "exit", record.exit_code);
    put(json, "signal", record.signal);
    put(json, "user", record.user_cpu_ms);
    put(json, "system", record.system_cpu_ms);
    put(json, "rss", record.max_rss_kib);
    put(json, "tags", record.tags);
    put(json, "json", int64_t(record.result_is_json));
    put(json, "content", int64_t(record.content));
    put(json, "cut_at", record.result_cut.at);
    put(json, "cut", record.result_cut.bytes);
    put(json, "bytes", int64_t(record.result.size()));
    std::string out = json.end_object().take();
    out += '\n';
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
    FieldReader in(bytes.substr(0, line));
    if (in.error()) return damaged("its head is not a JSON object");
    FinalRecord record;
    int is_json = 0;
    size_t result_bytes = 0;
    take(in, "type", record.type);
    take(in, "queue", record.queue);
    take(in, "worker", record.worker);
    take(in, "created", record.created_ms);
    take(in, "started", record.started_ms);
    take(in, "finished", record.finished_ms);
    take(in, "attempts", record.attempts);
    take(in, "exit", record.exit_code);
    take(in, "signal", record.signal);
    take(in, "user", record.user_cpu_ms);
    take(in, "system", record.system_cpu_ms);
    take(in, "rss", record.max_rss_kib);
    take(in, "tags", record.tags);
    take(in, "json", is_json);
    take(in, "content", record.content);
    take(in, "cut_at", record.result_cut.at);
    take(in, "cut", record.result_cut.bytes);
    take(in, "bytes", result_bytes);
    auto known = state_from_name(in.text("state"));
    if (in.error() || !known || !is_final(*known)) return damaged("a field of its head is wrong");
    if (result_bytes != bytes.size() - line - 1) return damaged("its result is cut off");
    record.state = *known;
    record.result_is_json = is_json != 0;
    record.result = bytes.substr(line + 1);
    return record;
}

}  // namespace jobq
