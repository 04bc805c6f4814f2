// The fields of a job, one row each: where it is kept, what it may hold, who is shown it, how a
// client says it. The envelope, validate(), head_of(), JOBQ ENQUEUE, the views of a job, the
// OpenAPI document, `jobq enqueue` with its help, and its lines of --jsonl are made from this
// table.
//
// Must stay true: of the rows with a letter type is the first and args the last, since scripts read
// an envelope up to its type, and a preview cuts it in its args; a letter is never used again for
// another meaning.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/job/job.h"

namespace jobq {

// What a job's text may be.
enum class TextForm : uint8_t { plain, json_array, json_object, checked_elsewhere };
// Who is shown a field: nobody, whoever asks for a whole job, or every view at a place of its own
// in daemon/server/job_view.
enum class Shown : uint8_t { never, with_whole_job, by_hand };
// How the command line turns the words of an option into the member.
enum class WordForm : uint8_t {
    by_hand,
    text,
    name,
    names,
    number,
    duration,
    positive,
    time,
    flag
};

// What a client may say: a member of JOBQ ENQUEUE's object, of HTTP's body, of a line of --jsonl,
// and an option of `jobq enqueue` and `jobq run`.
struct Said {
    std::string_view schema = {};  // JSON Schema; "": clients can't say it
    std::string_view as = {};      // when it has another name there
    bool as_it_is = false;         // becomes the job's member unchanged; else the parser has code
    std::string_view option = {};  // "--queue"; "": none
    std::string_view word = {};    // "NAME" in the help; "" of a flag
    std::string_view help = {};
    WordForm form = WordForm::by_hand;
    std::string_view alias = {};  // in a line of --jsonl, for the word that the option takes
};

// `T` void: said, and not kept under this name.
template <class T>
struct JobField {
    std::string_view name;  // in messages
    char tag = '\0';        // in the envelope; '\0': in its head
    T Job::*member;         // left out of the envelope at its default
    int64_t least = INT64_MIN;
    int64_t most = INT64_MAX;  // of a number; of a plain text, the most bytes
    TextForm form = TextForm::plain;
    bool for_handler = false;  // only its handler needs it: head_of() leaves it out
    Shown shown = Shown::never;
    std::string_view shown_as = {};  // its name in a view
    std::string_view schema = {};    // its JSON Schema there
    Said said = {};
};

template <>
struct JobField<void> {
    std::string_view name;
    Said said = {};
    int64_t least = INT64_MIN, most = INT64_MAX;
};

namespace job_fields {

inline constexpr std::string_view kString = R"({"type":"string"})",
                                  kInteger = R"({"type":"integer"})",
                                  kTime = R"({"type":"string","format":"date-time"})",
                                  kObject = R"({"type":"object"})", kArray = R"({"type":"array"})",
                                  kStrings = R"({"type":"array","items":{"type":"string"}})";
using Text = JobField<std::string>;
using Number = JobField<int64_t>;
using Only = JobField<void>;

}  // namespace job_fields

// In the order of the envelope, and of `jobq help enqueue`.
inline constexpr auto kJobFields = [] {
    using namespace job_fields;
    using namespace limits;
    return std::tuple{
        // Client libraries use class names here ("My::Worker"), so it is wider than a name.
        Text{.name = "type",
             .tag = 't',
             .member = &Job::type,
             .most = kTypeBytes,
             .shown = Shown::by_hand,
             .shown_as = "type",
             .schema = kString,
             .said = {.schema = kString, .as_it_is = true}},
        Text{.name = "queue",
             .member = &Job::queue,
             .form = TextForm::checked_elsewhere,
             .shown = Shown::by_hand,
             .shown_as = "queue",
             .schema = kString,
             .said = {.schema = kString,
                      .as_it_is = true,
                      .option = "--queue",
                      .word = "NAME",
                      .help = "the queue (default: default)",
                      .form = WordForm::name}},
        JobField<int>{.name = "priority",
                      .member = &Job::priority,
                      .least = kPriorityMin,
                      .most = kPriorityMax,
                      .shown = Shown::by_hand,
                      .shown_as = "priority",
                      .schema = kInteger,
                      .said = {.schema = R"({"type":"integer","minimum":1,"maximum":9})",
                               .as_it_is = true,
                               .option = "--priority",
                               .word = "1..9",
                               .help = "the priority: 9 runs first, 5 is normal",
                               .form = WordForm::number}},
        Number{.name = "created_ms",
               .tag = 'c',
               .member = &Job::created_ms,
               .least = 0,
               .most = kTimeMaxMs,
               .shown = Shown::by_hand,
               .shown_as = "created_at",
               .schema = kTime},
        Only{.name = "delay_ms",
             .said = {.schema = kInteger,
                      .option = "--in",
                      .word = "DURATION",
                      .help = "start no earlier than this long from now: 30s, 5m, 1h30m",
                      .form = WordForm::duration,
                      .alias = "in"}},
        Number{.name = "run_at_ms",
               .tag = 'r',
               .member = &Job::run_at_ms,
               .least = 0,
               .most = kTimeMaxMs,
               .shown = Shown::by_hand,
               .shown_as = "run_at",
               .schema = kTime,
               .said = {.schema = kTime,
                        .as = "run_at",
                        .option = "--at",
                        .word = "TIME",
                        .help = "start no earlier than this time: RFC 3339, or 'in 5m'",
                        .form = WordForm::time,
                        .alias = "at"}},
        JobField<std::optional<int>>{.name = "retry",
                                     .tag = 'R',
                                     .member = &Job::retry,
                                     .least = INT32_MIN,
                                     .most = kAttemptsMax},
        JobField<std::optional<int>>{.name = "max_attempts",
                                     .tag = 'M',
                                     .member = &Job::max_attempts,
                                     .least = 1,
                                     .most = kAttemptsMax,
                                     .shown = Shown::by_hand,
                                     .shown_as = "max_attempts",
                                     .schema = kInteger,
                                     .said = {.schema = kInteger,
                                              .as_it_is = true,
                                              .option = "--max-attempts",
                                              .word = "N",
                                              .help = "give up after N attempts, 1 to 1000",
                                              .form = WordForm::number}},
        Only{.name = "timeout", .said = {.schema = kString}},
        JobField<std::optional<int64_t>>{.name = "timeout_ms",
                                         .tag = 'T',
                                         .member = &Job::timeout_ms,
                                         .least = 1,
                                         .most = kTimeMaxMs,
                                         .shown = Shown::with_whole_job,
                                         .shown_as = "timeout_ms",
                                         .schema = kInteger,
                                         .said = {.schema = kInteger,
                                                  .as_it_is = true,
                                                  .option = "--timeout",
                                                  .word = "DURATION",
                                                  .help = "stop an attempt after this long",
                                                  .form = WordForm::positive,
                                                  .alias = "timeout"}},
        // Faktory raises small and negative ones to its minimum when the job is fetched.
        Number{
            .name = "reserve_for", .tag = 'v', .member = &Job::reserve_for_s, .most = kReserveMaxS},
        Number{.name = "backtrace", .tag = 'b', .member = &Job::backtrace},
        Number{.name = "expires_ms",
               .tag = 'e',
               .member = &Job::expires_ms,
               .least = 0,
               .most = kTimeMaxMs,
               .shown = Shown::with_whole_job,
               .shown_as = "expires_at",
               .schema = kTime,
               .said = {.schema = kInteger,
                        .option = "--expires",
                        .word = "DURATION",
                        .help = "do not start the job later than this long from now",
                        .form = WordForm::duration,
                        .alias = "expires"}},
        Text{.name = "jid",
             .member = &Job::jid,
             .form = TextForm::checked_elsewhere,
             .shown = Shown::by_hand,
             .shown_as = "jid",
             .schema = kString,
             .said = {.schema = kString,
                      .as_it_is = true,
                      .option = "--id",
                      .word = "JID",
                      .help = "the id of the job; it stands for one job while its record is kept",
                      .form = WordForm::text,
                      .alias = "id"}},
        Only{.name = "again",
             .said = {.schema = R"({"type":"boolean"})",
                      .option = "--again",
                      .help = "run the finished job with this --id again",
                      .form = WordForm::flag}},
        Text{.name = "at", .tag = 'a', .member = &Job::at, .most = kNameBytes},
        Text{.name = "created_at", .tag = 'C', .member = &Job::created_at, .most = kNameBytes},
        Text{.name = "custom",
             .tag = 'u',
             .member = &Job::custom,
             .form = TextForm::json_object,
             .for_handler = true,
             .shown = Shown::with_whole_job,
             .shown_as = "custom",
             .schema = kObject},
        Text{.name = "tags",
             .tag = 'g',
             .member = &Job::tags,
             .form = TextForm::json_array,
             .shown = Shown::by_hand,
             .shown_as = "tags",
             .schema = kStrings,
             .said = {.schema = kStrings,
                      .option = "--tag",
                      .word = "NAME",
                      .help = "a tag; can be given several times",
                      .form = WordForm::names,
                      .alias = "tag"}},
        Text{.name = "idempotency_key",
             .tag = 'i',
             .member = &Job::idempotency_key,
             .most = kIdempotencyKeyBytes,
             .shown = Shown::with_whole_job,
             .shown_as = "idempotency_key",
             .schema = kString,
             .said = {.schema = kString,
                      .as_it_is = true,
                      .option = "--idempotency-key",
                      .word = "KEY",
                      .help = "store jobs with the same key once within 24 h",
                      .form = WordForm::text}},
        Only{.name = "unique_for_ms",
             .said = {.schema = kInteger,
                      .option = "--unique-for",
                      .word = "DURATION",
                      .help = "refuse equal jobs (queue, type, payload) for this long",
                      .form = WordForm::positive,
                      .alias = "unique_for"}},
        Only{.name = "unique_until",
             .said = {.schema = kString,
                      .option = "--unique-until",
                      .word = "WHEN",
                      .help = "when an equal job is accepted again: start or success",
                      .form = WordForm::text}},
        Only{.name = "durability",
             .said = {.schema = kString,
                      .option = "--durability",
                      .word = "LEVEL",
                      .help = "refuse the job unless it is stored this safely: fsync, everysec, "
                              "memory",
                      .form = WordForm::text}},
        Text{.name = "traceparent",
             .tag = 'p',
             .member = &Job::traceparent,
             .most = kTraceparentBytes,
             .shown = Shown::with_whole_job,
             .shown_as = "traceparent",
             .schema = kString,
             .said = {.schema = kString,
                      .option = "--traceparent",
                      .word = "CONTEXT",
                      .help = "the trace of the job (default: $TRACEPARENT, or that of the "
                              "enqueueing job)"}},
        // Its path may be a secret, so it is shown to nobody.
        Text{.name = "webhook",
             .tag = 'w',
             .member = &Job::webhook,
             .most = kWebhookUrlBytes,
             .said = {.schema = kString,
                      .as_it_is = true,
                      .option = "--webhook",
                      .word = "URL",
                      .help = "send a webhook to this URL when the job ends; its host must be "
                              "allowed",
                      .form = WordForm::text}},
        Only{.name = "payload", .said = {.schema = "{}"}},
        Only{.name = "payload_text", .said = {.schema = kString}},
        Text{.name = "args",
             .tag = 'A',
             .member = &Job::args,
             .form = TextForm::checked_elsewhere,
             .for_handler = true,
             .shown = Shown::by_hand,
             .shown_as = "args",
             .schema = kArray,
             .said = {.schema = kArray}},
    };
}();

// Calls f(row) for each row that is kept in a job.
template <class F>
constexpr void for_each_job_field(F&& f) {
    const auto call = [&f](const auto& field) {
        if constexpr (requires { field.member; }) f(field);
    };
    std::apply([&call](const auto&... field) { (call(field), ...); }, kJobFields);
}

// Whether f(row) is true for a row that is kept in a job; the rows behind it are not asked.
template <class F>
constexpr bool any_job_field(F&& f) {
    const auto call = [&f](const auto& field) {
        if constexpr (requires { field.member; })
            return bool(f(field));
        else
            return false;
    };
    return std::apply([&call](const auto&... field) { return (call(field) || ...); }, kJobFields);
}

// What a client may say, without the types.
struct SaidField {
    std::string_view name;
    Said said;
    int64_t least, most;
};

inline constexpr auto kSaidFields = [] {
    constexpr size_t kCount =
        std::apply([](const auto&... field) { return (size_t(!field.said.schema.empty()) + ...); },
                   kJobFields);
    std::array<SaidField, kCount> fields{};
    size_t at = 0;
    const auto add = [&](const auto& field) {
        const Said& said = field.said;
        if (said.schema.empty()) return;
        fields[at++] = {said.as.empty() ? field.name : said.as, said, field.least, field.most};
    };
    std::apply([&](const auto&... field) { (add(field), ...); }, kJobFields);
    return fields;
}();

}  // namespace jobq
