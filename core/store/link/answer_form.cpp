#include "core/store/link/answer_form.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/store/link/scripts.h"

namespace jobq {
namespace {

using Kind = AnswerKind;

// As their RETURNS lines say.
constexpr std::pair<const Script*, AnswerForm> kForms[] = {
    {&scripts::adopt, {Kind::word, 0}},
    {&scripts::batch_get, {Kind::rows, 0}},
    {&scripts::batch_new, {Kind::word, 0}},
    {&scripts::batch_open, {Kind::rows, 1}},
    {&scripts::beat, {Kind::word, 0}},
    {&scripts::cancel, {Kind::values, 0}},
    {&scripts::causes, {Kind::rows, 5}},
    {&scripts::check_batch, {Kind::word_or_rows, 0}},
    {&scripts::check_counts, {}},
    {&scripts::check_ends, {Kind::rows, 3}},
    {&scripts::check_failed, {Kind::rows, 4}},
    {&scripts::check_fields, {Kind::rows, 5}},
    {&scripts::check_groups, {}},
    {&scripts::check_job, {}},
    {&scripts::check_jobs, {Kind::rows, 3}},
    {&scripts::check_keys, {Kind::rows, 3}},
    {&scripts::check_links, {}},
    {&scripts::check_list, {Kind::rows, 5}},
    {&scripts::check_run, {Kind::rows, 5}},
    {&scripts::check_set, {Kind::rows, 5}},
    {&scripts::clear, {Kind::rows, 2}},
    {&scripts::count_failed, {Kind::word, 0}},
    {&scripts::defer, {Kind::word_or_rows, 0}},
    {&scripts::done, {Kind::word_or_rows, 0}},
    {&scripts::enqueue, {Kind::word_or_rows, 0}},
    {&scripts::fetch, {Kind::rows, 3}},
    {&scripts::fetch_throttled, {Kind::rows, 3}},
    {&scripts::flush, {Kind::word, 0}},
    {&scripts::get, {Kind::some_rows, 0}},
    {&scripts::import, {Kind::word_or_rows, 0}},
    {&scripts::kill, {Kind::values, 0}},
    {&scripts::list_done, {Kind::rows, 2}},
    {&scripts::list_ready, {Kind::rows, 1}},
    {&scripts::list_running, {}},
    {&scripts::list_set, {Kind::rows, 1}},
    {&scripts::logs, {Kind::values, 0}},
    {&scripts::owners, {}},
    {&scripts::pause, {Kind::word, 0}},
    {&scripts::place, {Kind::rows, 3}},
    {&scripts::promote, {Kind::rows, 2}},
    {&scripts::purge, {Kind::rows, 1}},
    {&scripts::push, {Kind::word, 0}},
    {&scripts::queues, {Kind::rows, 2}},
    {&scripts::release, {Kind::word_or_rows, 0}},
    {&scripts::remove, {Kind::values, 0}},
    {&scripts::requeue, {Kind::values, 0}},
    {&scripts::stats, {Kind::rows, 5}},
    {&scripts::take_over, {}},
    {&scripts::track, {Kind::word, 0}},
    {&scripts::track_get, {Kind::rows, 0}},
    {&scripts::unpark, {Kind::word, 0}},
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

const AnswerForm* answer_form(const Script& script) {
    for (const auto& [known, form] : kForms)
        if (known == &script) return &form;
    return nullptr;
}

Result<> check_answer(const Script& script, const Reply& reply, size_t jobs) {
    const AnswerForm* form = answer_form(script);
    if (form && fits(*form, reply, jobs)) return {};
    const bool writes = script.kind != ScriptKind::reads;
    return fail(writes ? ErrorCode::unknown : ErrorCode::internal,
                "Redis gave " + std::string(script.name) +
                    " an answer that this script does not return; check for a proxy between jobqd "
                    "and Redis and for renamed commands");
}

}  // namespace jobq
