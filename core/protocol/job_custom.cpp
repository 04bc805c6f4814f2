#include "core/protocol/job_custom.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/trace_context.h"
#include "core/json/fields.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

// Seconds, whole or not, as milliseconds. Absent, null, false and 0: none.
Result<int64_t> seconds_of(const JsonFields& custom, std::string_view key) {
    const JsonField* field = custom.find(key);
    if (!field || field->raw == "false") return 0;
    double seconds = -1;
    if (field->kind == JsonField::Kind::integer || field->kind == JsonField::Kind::number)
        std::from_chars(field->raw.data(), field->raw.data() + field->raw.size(), seconds);
    double ms = std::round(seconds * 1000);
    if (!(ms >= 0) || ms > double(limits::kTimeMaxMs))
        return fail(ErrorCode::invalid, "custom." + std::string(key) +
                                            " must be a number of seconds, not " +
                                            printable(utf8_prefix(field->raw, 64)));
    return int64_t(ms);
}

Result<> read_expiry(const JsonFields& custom, Job& job, int64_t now_ms) {
    auto in_ms = seconds_of(custom, "expires_in");
    if (!in_ms) return tl::unexpected<Error>(in_ms.error());
    if (*in_ms > 0) job.expires_ms = later_ms(std::max(now_ms, job.run_at_ms), *in_ms);
    auto at = custom.string("expires_at");
    if (!at) return fail(ErrorCode::invalid, "custom.expires_at must be an RFC 3339 time");
    if (!*at || (*at)->empty()) return {};
    auto at_ms = parse_rfc3339_ms(**at);
    if (!at_ms) return fail(ErrorCode::invalid, "custom.expires_at: " + at_ms.error().text);
    job.expires_ms = std::max<int64_t>(*at_ms, 1);
    return {};
}

Result<> read_lock(const JsonFields& custom, const Job& job, Ties& ties) {
    auto for_ms = seconds_of(custom, "unique_for");
    if (!for_ms) return tl::unexpected<Error>(for_ms.error());
    if (*for_ms == 0) return {};
    auto until = custom.string("unique_until");
    std::string end = until ? until->value_or("success") : "?";
    if (end != "success" && end != "start")
        return fail(ErrorCode::invalid, "custom.unique_until must be \"success\" or \"start\"");
    ties.lock_for_ms = *for_ms;
    ties.until_start = end == "start";
    ties.lock = unique_digest(job.queue, job.type, job.args);
    return {};
}

}  // namespace

// Among the jobs of a queue and type with the same args.
Result<> read_unique(const JsonFields& object, Job& job) {
    auto for_ms = object.integer("unique_for_ms");
    auto until = object.string("unique_until");
    if (!for_ms) return tl::unexpected<Error>(for_ms.error());
    if (!until) return tl::unexpected<Error>(until.error());
    std::string end = until->value_or("success");
    if (end != "success" && end != "start")
        return fail(ErrorCode::invalid,
                    "unique_until must be \"success\" or \"start\", not " + json_quoted(end));
    if (!*for_ms) {
        if (!*until) return {};
        return fail(ErrorCode::invalid, "unique_until needs unique_for_ms");
    }
    if (**for_ms <= 0 || **for_ms > limits::kTimeMaxMs)
        return fail(ErrorCode::invalid,
                    "unique_for_ms must be from 1 to " + std::to_string(limits::kTimeMaxMs));
    Ties ties;
    ties.lock_for_ms = **for_ms;
    ties.until_start = end == "start";
    ties.lock = unique_digest(job.queue, job.type, job.args);
    job.ties = std::make_shared<const Ties>(std::move(ties));
    return {};
}

Result<> read_durability(const JsonFields& object, Job& job) {
    auto text = object.string("durability");
    if (!text) return tl::unexpected<Error>(text.error());
    if (!*text) return {};
    job.durability = durability_of(**text);
    if (job.durability) return {};
    return fail(ErrorCode::invalid, "durability must be one of fsync, everysec and memory, not " +
                                        json_quoted(utf8_prefix(**text, limits::kNameBytes)));
}

Result<> read_webhook(const JsonFields& object, Job& job) {
    auto text = object.string("webhook");
    if (!text) return fail(ErrorCode::invalid, "webhook must be a string with a URL");
    job.webhook = text->value_or("");
    return {};
}

bool has_relative_expiry(std::string_view custom) {
    auto fields = JsonFields::parse(custom);
    return fields && fields->find("expires_in") && !fields->find("expires_at");
}

bool is_bid(std::string_view text) {
    return text.substr(0, 2) == "b-" && is_name(text);
}

Result<> read_custom(Job& job, int64_t now_ms) {
    if (job.custom.empty()) return {};
    auto custom = JsonFields::parse(job.custom);
    if (!custom) return tl::unexpected<Error>(custom.error());
    auto expiry = read_expiry(*custom, job, now_ms);
    if (!expiry) return expiry;
    Ties ties;
    auto lock = read_lock(*custom, job, ties);
    if (!lock) return lock;
    auto durable = read_durability(*custom, job);
    if (!durable) return durable;
    // Put there by a library that the job's author may not know of: never a reason to refuse it.
    auto trace = custom->string("traceparent");
    auto context = read_traceparent(trace ? trace->value_or("") : "");
    if (context) job.traceparent = format_traceparent(*context);
    auto webhook = read_webhook(*custom, job);
    if (!webhook) return webhook;
    const JsonField* track = custom->find("track");
    auto tracked = track ? json_integer(*track) : std::nullopt;
    ties.tracked = track && (track->raw == "true" || tracked.value_or(0) > 0);
    auto bid = custom->string("bid");
    if (!bid) return fail(ErrorCode::invalid, "custom.bid must be a string");
    ties.bid = bid->value_or("");
    if (!ties.bid.empty() && !is_bid(ties.bid))
        return fail(ErrorCode::not_found,
                    "No such batch " + printable(utf8_prefix(ties.bid, limits::kNameBytes)));
    if (!ties.none()) job.ties = std::make_shared<const Ties>(std::move(ties));
    return {};
}

std::string traced_custom(std::string_view custom, std::string_view traceparent) {
    JsonWriter json;
    json.begin_object();
    auto fields = json_object(custom.empty() ? "{}" : custom);
    if (fields)
        for (const auto& field : *fields)
            if (field.key != "traceparent") json.key(field.key).raw(field.raw);
    return json.field("traceparent", traceparent).end_object().take();
}

std::string callback_custom(std::string_view custom, std::string_view bid,
                            std::string_view parent) {
    JsonWriter json;
    json.begin_object().field("_bid", bid);
    if (!parent.empty()) json.field("_pbid", parent);
    auto fields = json_object(custom.empty() ? "{}" : custom);
    if (fields)
        for (const auto& field : *fields)
            if (field.key != "bid" && field.key != "_bid" && field.key != "_pbid")
                json.key(field.key).raw(field.raw);
    return json.end_object().take();
}

Result<> read_reuse(const JsonFields& object, Job& job) {
    job.reuse = Reuse::never;
    const JsonField* again = object.find("again");
    if (!again || again->is_null()) return {};
    if (again->kind != JsonField::Kind::boolean)
        return fail(ErrorCode::invalid, "\"again\" must be true or false");
    job.may_be_known = again->raw == "false";
    if (job.may_be_known) return {};
    if (!object.find("jid")) return fail(ErrorCode::invalid, "\"again\" requires a jid");
    job.reuse = Reuse::again;
    return {};
}

}  // namespace jobq
