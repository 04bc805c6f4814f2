// How wide text is on a terminal, and text cut to a width. Pure; used by the layout of `top`.
//
// Text is UTF-8 without control characters (printable() saw to it). A character takes the columns
// that wcwidth(3) says, so two for most of East Asia and none for a combining accent; where the
// system has no UTF-8 locale each counts as one, and the terminal cuts what is too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jobq::cli {

size_t columns_of(std::string_view text);
// The longest beginning of `text` that fits, never cut inside a character or before an accent.
std::string_view fit(std::string_view text, size_t columns);
// Exactly `columns` wide: filled with spaces, or cut with "…" at the end to say so.
std::string cell(std::string_view text, size_t columns);
// The same with the text at the right, for numbers.
std::string right_cell(std::string_view text, size_t columns);

}  // namespace jobq::cli
