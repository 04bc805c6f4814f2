// Faktory's job and failure objects to a Job with a past; see import_wire.h.
// Must stay true: what can't be read is refused as a whole, never stored in part.
#include "core/protocol/import_wire.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/fields.h"
#include "core/protocol/job_wire.h"

namespace jobq {
namespace {

tl::unexpected<Error> bad_failure(const Error& error) {
    return fail(ErrorCode::bad_data, "its failure can't be read: " + error.text);
}

int64_t time_or(const Result<std::optional<std::string>>& text, int64_t otherwise) {
    return parse_rfc3339_ms((*text).value_or("")).value_or(otherwise);
}

// Faktory counts retries: 0 after the first failed attempt.
Result<> read_failure(std::string_view json, Imported& one, int64_t now_ms) {
    auto object = JsonFields::parse(json, true);
    if (!object) return bad_failure(object.error());
    auto count = object->integer("retry_count");
    auto remaining = object->integer("remaining");
    auto failed = object->string("failed_at");
    auto type = object->string("errtype");
    auto message = object->string("message");
    auto backtrace = object->strings("backtrace");
    for (const auto* number : {&count, &remaining})
        if (!*number) return bad_failure(number->error());
    for (const auto* text : {&failed, &type, &message})
        if (!*text) return bad_failure(text->error());
    if (!backtrace) return bad_failure(backtrace.error());
    JobRecord& record = one.record;
    record.attempts = int(std::clamp<int64_t>(count->value_or(0), 0, limits::kAttemptsMax - 1)) + 1;
    record.first_failed_ms = time_or(failed, now_ms);
    Attempt last;
    last.number = record.attempts;
    last.ended_ms = record.attempts == 1 ? record.first_failed_ms : 0;
    last.error_type = utf8_prefix(type->value_or("unknown"), limits::kErrorTypeBytes);
    last.message = utf8_prefix(message->value_or("unknown"), limits::kErrorMessageBytes);
    for (const auto& line : backtrace->value_or(std::vector<std::string>()))
        if (last.backtrace.size() < size_t(limits::kBacktraceLines))
            last.backtrace.emplace_back(utf8_prefix(line, limits::kErrorMessageBytes));
    record.errors.push_back(std::move(last));
    if (one.state == State::dead)
        record.reason = remaining->value_or(0) <= 0 ? "exhausted" : "killed";
    return {};
}

Result<State> read_state(const JsonFields& object) {
    auto text = object.string("state");
    if (!text) return tl::unexpected<Error>(text.error());
    for (State state : {State::ready, State::scheduled, State::retrying, State::dead})
        if (text->value_or("") == name(state)) return state;
    return fail(ErrorCode::invalid, "\"state\" must be ready, scheduled, retrying or dead");
}

}  // namespace

Result<Imported> parse_import(std::string_view json, int64_t now_ms) {
    auto object = JsonFields::parse(json, false, limits::kJsonDepth + 4);
    if (!object) return tl::unexpected<Error>(object.error());
    auto state = read_state(*object);
    if (!state) return tl::unexpected<Error>(state.error());
    auto at = object->integer("at_ms");
    const JsonField* raw = object->find("job");
    if (!at) return tl::unexpected<Error>(at.error());
    if (!raw || raw->kind != JsonField::Kind::object)
        return fail(ErrorCode::invalid, "\"job\" must be an object");
    Imported one;
    one.state = *state;
    bool waits = *state == State::scheduled || *state == State::retrying;
    if (waits && at->value_or(0) <= 0) return fail(ErrorCode::invalid, "\"at_ms\" is required");
    if (*state != State::ready)
        one.at_ms = std::clamp<int64_t>(at->value_or(now_ms), 1, limits::kTimeMaxMs);
    auto job = parse_push(raw->raw, now_ms);
    if (!job) return tl::unexpected<Error>(job.error());
    one.job = std::move(*job);
    one.job.created_ms = std::min(parse_rfc3339_ms(one.job.created_at).value_or(now_ms), now_ms);
    one.job.run_at_ms = *state == State::scheduled ? one.at_ms : 0;
    auto fields = JsonFields::parse(raw->raw, true);
    const JsonField* failure = fields ? fields->find("failure") : nullptr;
    if (failure) {
        auto read = read_failure(failure->raw, one, now_ms);
        if (!read) return tl::unexpected<Error>(read.error());
        auto queued = fields->string("enqueued_at");
        if (queued && *state == State::ready)
            one.record.ready_ms = std::min(time_or(queued, now_ms), now_ms);
    } else if (*state == State::dead) {
        one.record.reason = "killed";
    }
    if (*state == State::retrying) one.record.next_at_ms = one.at_ms;
    return one;
}

}  // namespace jobq
