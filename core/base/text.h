// Small text helpers that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jobq {

// Of A to Z; everything else stays.
std::string ascii_lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
// Digits with an optional minus, nothing else, in range.
std::optional<int64_t> parse_int(std::string_view text);
bool is_utf8(std::string_view text);
// At most `bytes` of `text`, never cut inside a character.
std::string_view utf8_prefix(std::string_view text, size_t bytes);
// How many bytes at the end begin a character that is not complete; at most 3.
size_t unfinished_utf8(std::string_view text);
// Invalid UTF-8 replaced by U+FFFD, so that the result may stand in JSON.
std::string to_utf8(std::string_view bytes);
// `text` as the inside of a JSON string, without the quotes; `text` must be UTF-8.
void append_json_escaped(std::string& out, std::string_view text);
// The same with the quotes.
std::string json_quoted(std::string_view text);
std::string hex(std::string_view bytes);
// Redis's glob: * ? [a-z] [^a] \x, anchored at both ends.
bool glob_match(std::string_view pattern, std::string_view text);
// The candidate nearest to `word` by edit distance, when it is near enough to be meant; else "".
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
// Without control characters and escape sequences: what may be shown on a terminal or in a log.
std::string printable(std::string_view text);

}  // namespace jobq
