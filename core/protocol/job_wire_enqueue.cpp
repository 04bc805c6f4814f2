// JOBQ ENQUEUE's object becomes a Job. Members that become a field of the job unchanged are read as
// core/job/job_fields.h has them; the others have a reader here.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/trace_context.h"
#include "core/job/job_fields.h"
#include "core/json/document.h"
#include "core/protocol/job_custom.h"
#include "core/protocol/job_wire.h"

namespace jobq {
namespace {

// payload, payload_text or args: exactly one of them.
Result<> read_args(const JsonFields& object, Job& job) {
    const JsonField* payload = object.find("payload");
    const JsonField* args = object.find("args");
    auto text = object.string("payload_text");
    if (!text) return tl::unexpected<Error>(text.error());
    bool null_payload = false;
    for (const auto& field : object.fields())
        null_payload = null_payload || (field.key == "payload" && field.is_null());
    if (int(payload != nullptr || null_payload) + int(args != nullptr) + int(text->has_value()) > 1)
        return fail(ErrorCode::invalid, "give one of payload, payload_text and args");
    if (*text) {
        auto checked = check_json(**text);
        if (!checked) return tl::unexpected<Error>(checked.error());
        job.args = "[" + **text + "]";
    } else if (payload) {
        job.args = "[" + std::string(payload->raw) + "]";
    } else if (args) {
        if (args->kind != JsonField::Kind::array)
            return fail(ErrorCode::bad_data, "\"args\" must be an array");
        job.args = args->raw;
    } else {
        job.args = null_payload ? "[null]" : "[]";
    }
    if (job.args.size() > limits::kPayloadBytes + 2)
        return fail(ErrorCode::too_large, "a payload of " + std::to_string(job.args.size() - 2) +
                                              " bytes exceeds the limit of " +
                                              std::to_string(limits::kPayloadBytes));
    return {};
}

Result<> read_times(const JsonFields& object, EnqueueRequest& request, int64_t now_ms) {
    auto delay = object.integer("delay_ms");
    auto run_at = object.string("run_at");
    auto expires = object.integer("expires_ms");
    for (const auto* number : {&delay, &expires})
        if (!*number) return tl::unexpected<Error>(number->error());
    auto limit = object.string("timeout");
    for (const auto* text : {&run_at, &limit})
        if (!*text) return tl::unexpected<Error>(text->error());
    if (*delay && **delay < 0)
        return fail(ErrorCode::invalid,
                    "a delay can't be negative: " + std::to_string(**delay) + " ms");
    if (*delay && **delay > limits::kTimeMaxMs - now_ms)
        return fail(ErrorCode::invalid, "delay_ms: " + std::to_string(**delay) +
                                            " ms from now is beyond the year 9999");
    if (*delay && *run_at) return fail(ErrorCode::invalid, "give delay_ms or run_at, not both");
    Job& job = request.job;
    if (*delay && **delay > 0) job.run_at_ms = now_ms + **delay;
    if (*run_at) {
        auto at = parse_rfc3339_ms(**run_at);
        if (!at) return fail(ErrorCode::invalid, "run_at: " + at.error().text);
        request.late = *at <= now_ms;
        if (!request.late) job.run_at_ms = *at;
    }
    if (*expires) {
        if (**expires <= 0) return fail(ErrorCode::invalid, "expires_ms must be positive");
        job.expires_ms = later_ms(now_ms, **expires);
    }
    if (!*limit) return {};
    if (job.timeout_ms) return fail(ErrorCode::invalid, "give timeout or timeout_ms, not both");
    auto parsed = parse_duration_ms(**limit);
    if (!parsed) return fail(ErrorCode::invalid, "timeout: " + parsed.error().text);
    job.timeout_ms = *parsed;
    return {};
}

Result<> read_trace(const JsonFields& object, Job& job) {
    auto trace = object.string("traceparent");
    if (!trace) return tl::unexpected<Error>(trace.error());
    if (!*trace || (*trace)->empty()) return {};
    auto context = parse_traceparent(**trace);
    if (!context) return tl::unexpected<Error>(context.error());
    job.traceparent = format_traceparent(*context);
    return {};
}

Result<> read_tags(const JsonFields& object, Job& job) {
    auto tags = object.strings("tags");
    if (!tags) return tl::unexpected<Error>(tags.error());
    if (*tags && !(*tags)->empty()) job.tags = object.find("tags")->raw;
    return {};
}

Result<> take(const JsonFields& object, std::string_view name, std::string& value) {
    auto text = object.string(name);
    if (!text) return tl::unexpected<Error>(text.error());
    if (*text) value = std::move(**text);
    return {};
}

template <class Int>
Result<> take(const JsonFields& object, std::string_view name, Int& value) {
    auto number = object.integer(name);
    if (!number) return tl::unexpected<Error>(number.error());
    // validate() says what is out of its range.
    using Limits = std::numeric_limits<Int>;
    if (*number) value = Int(std::clamp<int64_t>(**number, Limits::min(), Limits::max()));
    return {};
}

template <class Int>
Result<> take(const JsonFields& object, std::string_view name, std::optional<Int>& value) {
    return object.find(name) ? take(object, name, value.emplace()) : Result<>();
}

// What becomes a member of the job as it is.
Result<> read_plain(const JsonFields& object, Job& job) {
    Result<> read;
    any_job_field([&](const auto& field) {
        if (field.said.as_it_is) read = take(object, field.name, job.*field.member);
        return !read;
    });
    return read;
}

Error unknown_field(std::string_view key) {
    std::vector<std::string_view> names;
    for (const auto& field : kSaidFields)
        names.push_back(field.name);
    const std::string_view shown = utf8_prefix(key, limits::kNameBytes);
    std::string text = "unknown field " + json_quoted(shown) + "; ";
    if (const auto near = nearest(shown, names); !near.empty())
        return {ErrorCode::invalid, text + "did you mean " + json_quoted(near) + "?"};
    text += "the known fields are ";
    for (const auto name : names)
        text.append(name == names.front() ? "" : ", ").append(name);
    return {ErrorCode::invalid, std::move(text)};
}

bool is_known(std::string_view key) {
    return std::any_of(kSaidFields.begin(), kSaidFields.end(),
                       [key](const SaidField& field) { return field.name == key; });
}

}  // namespace

Job EnqueueRequest::take_job() {
    Job taken = std::move(job);
    job = Job();
    job.jid = taken.jid;
    job.type = taken.type;
    job.queue = taken.queue;
    return taken;
}

Result<EnqueueRequest> parse_enqueue(std::string_view json, int64_t now_ms, std::string new_jid) {
    auto object = JsonFields::parse(json, false, limits::kJsonDepth + 1);
    if (!object) return tl::unexpected<Error>(object.error());
    for (const auto& field : object->fields())
        if (!is_known(field.key)) return tl::unexpected<Error>(unknown_field(field.key));
    EnqueueRequest request;
    Job& job = request.job;
    job.jid = std::move(new_jid);
    job.created_ms = now_ms;
    if (auto plain = read_plain(*object, job); !plain) return tl::unexpected<Error>(plain.error());
    if (!object->find("type")) return fail(ErrorCode::invalid, "a job needs a type");
    // The args before read_unique(), which digests them.
    for (auto* read : {read_trace, read_tags, read_args}) {
        auto good = read(*object, job);
        if (!good) return tl::unexpected<Error>(good.error());
    }
    auto times = read_times(*object, request, now_ms);
    if (!times) return tl::unexpected<Error>(times.error());
    for (auto* read : {read_unique, read_reuse, read_durability}) {
        auto good = read(*object, job);
        if (!good) return tl::unexpected<Error>(good.error());
    }
    auto valid = validate(job);
    if (!valid) return tl::unexpected<Error>(valid.error());
    return request;
}

}  // namespace jobq
