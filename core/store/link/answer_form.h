// The form of the answer of each script. ScriptCaller::run() holds every answer against it, so that
// whatever the other end sends (a nil, a short array, a word where rows are due) is an error of
// that call and never read past its end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/error.h"
#include "core/store/link/redis_link.h"
#include "core/store/link/script.h"

namespace jobq {

enum class AnswerKind : uint8_t {
    word,          // no array
    rows,          // an array
    word_or_rows,  // either; an array has a value for each job that was asked for
    values,        // an array with a value for each job
    some_rows,     // an array with a row for some of the jobs, at least the first
};

struct AnswerForm {
    AnswerKind kind = AnswerKind::rows;
    size_t least = 0;  // of an array: so many items
};

// Null: the script is not known here.
const AnswerForm* answer_form(const Script& script);

// `jobs`: how many were asked for. Its error says that nobody knows what was done, where the script
// writes.
Result<> check_answer(const Script& script, const Reply& reply, size_t jobs);

}  // namespace jobq
