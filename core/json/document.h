// Whole JSON texts: is it one, and its normal forms. What a client sent as args or payload is kept
// byte for byte; nothing user-made is ever copied into a tree or written back from one (deep or
// huge JSON would take the stack or the bits of its numbers with it).
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {

// Whole text is one JSON value, UTF-8, nested at most `max_depth` deep. bad_data says why not.
Result<> check_json(std::string_view text, int max_depth = limits::kJsonDepth);

// The value `raw` as Go's encoder writes what its decoder read: compact, keys sorted, the last of a
// repeated one, numbers that are no integers in their shortest form. `raw` itself when it is no
// JSON.
std::string go_json(std::string_view raw);
// One form for all texts that mean the same: compact, keys sorted, the last of a repeated one,
// strings with the fewest escapes, numbers in their shortest form (1.0 is 1, 1e2 is 100; integers
// keep their digits). Requires: JSON, no deeper than limits::kJsonDepth and a little.
std::string canonical_json(std::string_view text);
// With U+FFFD for each half of a surrogate pair that stands alone, as Go's decoder reads it.
std::string without_lone_surrogates(std::string text);
// Without white space outside of strings. `text` itself when a string in it does not end.
std::string compact_json(std::string_view text);

}  // namespace jobq
