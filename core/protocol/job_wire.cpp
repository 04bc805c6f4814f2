#include "core/protocol/job_wire.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/document.h"
#include "core/protocol/job_custom.h"

namespace jobq {
namespace {

constexpr std::string_view kBadJson = "invalid JSON: ";

tl::unexpected<Error> bad_json(const Error& error) {
    return fail(error.code, std::string(kBadJson) + error.text);
}

std::string_view trimmed_raw(const JsonField* field) {
    return field ? field->raw : std::string_view();
}

bool is_faktory_queue(std::string_view name) {
    if (name.empty()) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
    });
}

// The typed fields of a PUSH; a wrong type is "invalid JSON", as Go's decoder says it.
Result<> read_push_fields(const JsonFields& object, Job& job) {
    auto jid = object.string("jid");
    auto type = object.string("jobtype");
    auto queue = object.string("queue");
    auto at = object.string("at");
    auto created = object.string("created_at");
    for (const auto* text : {&jid, &type, &queue, &at, &created})
        if (!*text) return bad_json(text->error());
    auto retry = object.integer("retry");
    auto reserve = object.integer("reserve_for");
    auto backtrace = object.integer("backtrace");
    auto priority = object.integer("priority");
    for (const auto* number : {&retry, &reserve, &backtrace})
        if (!*number) return bad_json(number->error());
    const JsonField* args = object.find("args");
    if (args && args->kind != JsonField::Kind::array)
        return fail(ErrorCode::bad_data, "invalid JSON: \"args\" must be an array");
    const JsonField* custom = object.find("custom");
    if (custom && custom->kind != JsonField::Kind::object)
        return fail(ErrorCode::bad_data, "invalid JSON: \"custom\" must be an object");

    const JsonField* failure = object.find("failure");
    if (failure && failure->kind != JsonField::Kind::object)
        return fail(ErrorCode::bad_data, "invalid JSON: \"failure\" must be an object");

    job.jid = jid->value_or("");
    job.type = type->value_or("");
    job.queue = queue->value_or("");
    if (job.queue.empty()) job.queue = "default";
    job.at = at->value_or("");
    job.created_at = created->value_or("");
    if (*retry) job.retry = int(std::clamp<int64_t>(**retry, INT32_MIN, limits::kAttemptsMax));
    job.reserve_for_s = reserve->value_or(0);
    job.backtrace = backtrace->value_or(0);
    // Several clients send priority 5 with every job; one that is no 1..9 integer means nothing.
    if (priority && *priority && **priority >= 1 && **priority <= 9) job.priority = int(**priority);
    job.args = trimmed_raw(args);
    job.custom = trimmed_raw(custom);
    if (custom && trim(custom->raw.substr(1, custom->raw.size() - 2)).empty()) job.custom.clear();
    return {};
}

// Go's decoder takes halves of surrogate pairs, which JavaScript's encoder writes. `mended` must
// outlive what is returned.
Result<JsonFields> parse_as_go(std::string_view json, std::string& mended) {
    auto object = JsonFields::parse(json, true);
    if (object || object.error().code != ErrorCode::bad_data) return object;
    mended = without_lone_surrogates(std::string(json));
    return JsonFields::parse(mended, true);
}

}  // namespace

// Faktory's checks of a job whose fields are read, in its order.
static Result<Job> checked_push(Job job, int64_t now_ms) {
    if (job.jid.size() < limits::kJidMinBytes)
        return fail(ErrorCode::invalid, "jobs must have a reasonable jid parameter");
    if (job.type.empty()) return fail(ErrorCode::invalid, "jobs must have a jobtype parameter");
    if (job.args.empty()) return fail(ErrorCode::invalid, "jobs must have an args parameter");
    if (job.reserve_for_s > limits::kReserveMaxS)
        return fail(ErrorCode::invalid, "jobs cannot be reserved for more than one day");
    if (!job.at.empty()) {
        auto at = parse_rfc3339_ms(job.at);
        if (!at)
            return fail(ErrorCode::invalid, "invalid timestamp for 'at': " + json_quoted(job.at) +
                                                ": parsing time " + json_quoted(job.at));
        job.run_at_ms = *at > now_ms ? *at : 0;
    }
    if (!is_faktory_queue(job.queue))
        return fail(ErrorCode::invalid, "cannot get " + json_quoted(job.queue) +
                                            " queue: queue names must match \\A[a-zA-Z0-9._-]+\\z");
    if (job.args.size() > limits::kPayloadBytes)
        return fail(ErrorCode::too_large, "args of " + std::to_string(job.args.size()) +
                                              " bytes exceed the limit of " +
                                              std::to_string(limits::kPayloadBytes));
    job.created_ms = now_ms;
    auto custom = read_custom(job, now_ms);
    if (!custom) return tl::unexpected<Error>(custom.error());
    auto valid = validate(job);
    if (!valid) return tl::unexpected<Error>(valid.error());
    return job;
}

Result<Job> parse_push(std::string_view json, int64_t now_ms) {
    std::string mended;
    auto object = parse_as_go(json, mended);
    if (!object) return bad_json(object.error());
    Job job;
    auto read = read_push_fields(*object, job);
    if (!read) return tl::unexpected<Error>(read.error());
    return checked_push(std::move(job), now_ms);
}

Error push_refusal(Error error, const std::string& jid) {
    if (error.code == ErrorCode::duplicate) error.text = "duplicate jid " + jid;
    return error;
}

Result<Job> parse_callback(std::string_view json, int64_t now_ms, std::string_view bid,
                           std::string_view parent, std::string new_jid) {
    auto object = JsonFields::parse(json, true);
    if (!object) return bad_json(object.error());
    Job job;
    auto read = read_push_fields(*object, job);
    if (!read) return tl::unexpected<Error>(read.error());
    if (job.jid.empty()) job.jid = std::move(new_jid);
    if (job.args.empty()) job.args = "[]";
    job.custom = callback_custom(job.custom, bid, parent);
    auto callback = checked_push(std::move(job), now_ms);
    // What counts from now would be over before the batch is.
    if (callback && has_relative_expiry(callback->custom)) callback->expires_ms = 0;
    return callback;
}

namespace {

void add_text(std::string& out, std::string_view key, std::string_view text) {
    out.append(",\"").append(key).append("\":\"");
    append_json_escaped(out, text);
    out += '"';
}

// Go writes < > & and the line breaks of Unicode as escapes. All of them stand in strings.
std::string with_go_escapes(std::string_view json) {
    std::string out;
    for (size_t i = 0; i < json.size(); ++i) {
        char c = json[i];
        bool separator = json.substr(i, 2) == "\xE2\x80" && i + 2 < json.size() &&
                         (json[i + 2] == '\xA8' || json[i + 2] == '\xA9');
        if (c == '<' || c == '>' || c == '&') {
            out.append("\\u00").append(hex(json.substr(i, 1)));
        } else if (separator) {
            out.append(json[i + 2] == '\xA8' ? "\\u2028" : "\\u2029");
            i += 2;
        } else {
            out += c;
        }
    }
    return out;
}

// Go's failure object of a job that failed.
std::string failure_json(const Job& job, const JobRecord& record) {
    if (record.errors.empty()) return record.failure;
    const Attempt& last = record.errors.back();
    int64_t count = std::max(record.attempts - 1, 0);
    int64_t remaining = std::max<int64_t>(job.retry.value_or(limits::kDefaultRetries) - count, 0);
    std::string out = "{\"failed_at\":\"" + format_rfc3339(record.first_failed_ms) + '"';
    if (record.next_at_ms) add_text(out, "next_at", format_rfc3339(record.next_at_ms));
    if (!last.message.empty()) add_text(out, "message", last.message);
    if (!last.error_type.empty()) add_text(out, "errtype", last.error_type);
    if (!last.backtrace.empty()) {
        out += ",\"backtrace\":[";
        for (size_t i = 0; i < last.backtrace.size(); ++i) {
            if (i) out += ',';
            out += json_quoted(last.backtrace[i]);
        }
        out += ']';
    }
    out += ",\"retry_count\":" + std::to_string(count);
    out += ",\"remaining\":" + std::to_string(remaining) + '}';
    return out;
}

// White space between tokens, line breaks above all, is not for clients that count them.
std::string without_breaks(std::string_view json) {
    std::string out(json);
    std::replace(out.begin(), out.end(), '\n', ' ');
    std::replace(out.begin(), out.end(), '\r', ' ');
    return out;
}

std::string faktory_object(const Job& job, const JobRecord& record, int64_t now_ms, bool for_worker,
                           std::string_view traceparent = {}) {
    std::string out =
        "{\"retry\":" + std::to_string(job.retry.value_or(
                            job.max_attempts ? *job.max_attempts - 1 : limits::kDefaultRetries));
    std::string failure = failure_json(job, record);
    if (!failure.empty()) out.append(",\"failure\":").append(failure);
    // As a Faktory client put it there, or not yet.
    if (!traceparent.empty() && job.custom.find(traceparent) == job.custom.npos)
        out.append(",\"custom\":").append(without_breaks(traced_custom(job.custom, traceparent)));
    else if (!job.custom.empty())
        out.append(",\"custom\":")
            .append(for_worker ? without_breaks(job.custom) : go_json(job.custom));
    add_text(out, "jid", job.jid);
    add_text(out, "queue", job.queue);
    add_text(out, "jobtype", job.type);
    add_text(out, "created_at",
             job.created_at.empty() ? format_rfc3339(job.created_ms) : job.created_at);
    int64_t enqueued = enqueued_ms(job, record, now_ms);
    if (enqueued != 0) add_text(out, "enqueued_at", format_rfc3339(enqueued));
    if (!job.at.empty()) add_text(out, "at", job.at);
    out.append(",\"args\":").append(for_worker ? without_breaks(job.args) : go_json(job.args));
    int64_t reserve = job.reserve_for_s;
    if (reserve == 0 && for_worker) reserve = limits::kReserveDefaultS;
    if (reserve != 0) out.append(",\"reserve_for\":").append(std::to_string(reserve));
    if (job.backtrace != 0) out.append(",\"backtrace\":").append(std::to_string(job.backtrace));
    out += '}';
    return out;
}

}  // namespace

std::string faktory_job(const Job& job, const JobRecord& record, int64_t now_ms,
                        std::string_view traceparent) {
    return faktory_object(job, record, now_ms, true, traceparent);
}

std::string faktory_payload(const Job& job, const JobRecord& record, int64_t now_ms) {
    return with_go_escapes(faktory_object(job, record, now_ms, false));
}

}  // namespace jobq
