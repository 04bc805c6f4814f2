// Why a text is not JSON, and where: for people, once it is known not to be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jobq {

struct JsonTrouble {
    bool too_deep = false;
    size_t byte = 0;  // 1-based, where the parser stopped
    std::string why;  // "" when it is too deep
};

// Nothing: it is JSON, nested at most `max_depth` deep.
std::optional<JsonTrouble> json_trouble(std::string_view text, int max_depth);
// "line 3, column 7", or "column 7" of a text that is one line.
std::string json_place(std::string_view text, size_t byte, bool one_line);

}  // namespace jobq
