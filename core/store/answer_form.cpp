#include "core/store/answer_form.h"

#include <algorithm>
#include <string>
#include <utility>

namespace jobq {
namespace {

using Kind = AnswerKind;

// As their RETURNS lines say.
constexpr std::pair<std::string_view, AnswerForm> kForms[] = {
    {"adopt", {Kind::word, 0}},
    {"batch_get", {Kind::rows, 0}},
    {"batch_new", {Kind::word, 0}},
    {"batch_open", {Kind::rows, 1}},
    {"beat", {Kind::word, 0}},
    {"cancel", {Kind::values, 0}},
    {"causes", {Kind::rows, 5}},
    {"check_batch", {Kind::word_or_rows, 0}},
    {"check_counts", {}},
    {"check_ends", {Kind::rows, 3}},
    {"check_failed", {Kind::rows, 4}},
    {"check_fields", {Kind::rows, 5}},
    {"check_groups", {}},
    {"check_job", {}},
    {"check_jobs", {Kind::rows, 3}},
    {"check_keys", {Kind::rows, 3}},
    {"check_links", {}},
    {"check_list", {Kind::rows, 5}},
    {"check_run", {Kind::rows, 5}},
    {"check_set", {Kind::rows, 5}},
    {"clear", {Kind::rows, 2}},
    {"count_failed", {Kind::word, 0}},
    {"defer", {Kind::word_or_rows, 0}},
    {"done", {Kind::word_or_rows, 0}},
    {"enqueue", {Kind::word_or_rows, 0}},
    {"fetch", {Kind::rows, 3}},
    {"fetch_throttled", {Kind::rows, 3}},
    {"flush", {Kind::word, 0}},
    {"get", {Kind::some_rows, 0}},
    {"import", {Kind::word_or_rows, 0}},
    {"kill", {Kind::values, 0}},
    {"list_done", {Kind::rows, 2}},
    {"list_ready", {Kind::rows, 1}},
    {"list_running", {}},
    {"list_set", {Kind::rows, 1}},
    {"logs", {Kind::values, 0}},
    {"owners", {}},
    {"pause", {Kind::word, 0}},
    {"promote", {Kind::rows, 2}},
    {"purge", {Kind::rows, 1}},
    {"push", {Kind::word, 0}},
    {"queues", {Kind::rows, 2}},
    {"release", {Kind::word_or_rows, 0}},
    {"remove", {Kind::values, 0}},
    {"requeue", {Kind::values, 0}},
    {"stats", {Kind::rows, 5}},
    {"take_over", {}},
    {"track", {Kind::word, 0}},
    {"track_get", {Kind::rows, 0}},
    {"unpark", {Kind::word, 0}},
};

bool is_word(const Reply& reply) {
    return !reply.is_nil() && !reply.is_error() && reply.kind != Reply::Kind::array;
}

bool has_values(const Reply& reply, size_t count) {
    return reply.items.size() >= count &&
           std::all_of(reply.items.begin(), reply.items.begin() + ptrdiff_t(count), is_word);
}

bool fits(const AnswerForm& form, const Reply& reply, size_t jobs) {
    const bool array = reply.kind == Reply::Kind::array;
    switch (form.kind) {
        case Kind::word:
            return is_word(reply);
        case Kind::rows:
            return array && reply.items.size() >= form.least;
        case Kind::word_or_rows:
            return array ? has_values(reply, jobs) : is_word(reply);
        case Kind::values:
            return array && has_values(reply, jobs);
        case Kind::some_rows:
            return array && reply.items.size() <= jobs && (jobs == 0 || !reply.items.empty());
    }
    return false;
}

}  // namespace

const AnswerForm* answer_form(std::string_view script) {
    for (const auto& [name, form] : kForms)
        if (name == script) return &form;
    return nullptr;
}

Result<> check_answer(const Script& script, const Reply& reply, size_t jobs) {
    const AnswerForm* form = answer_form(script.name);
    if (form && fits(*form, reply, jobs)) return {};
    const bool writes = script.kind() != ScriptKind::reads;
    return fail(writes ? ErrorCode::unknown : ErrorCode::internal,
                "Redis gave " + std::string(script.name) +
                    " an answer that this script does not return; check for a proxy between jobqd "
                    "and Redis and for renamed commands");
}

}  // namespace jobq
