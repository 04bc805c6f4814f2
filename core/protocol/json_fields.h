// Reading JSON of the wire without changing it: validate once, then pick fields as spans of the
// text. What a client sent as args or payload is kept byte for byte; nothing user-made is ever
// copied into a tree or written back from one (deep or huge JSON would take the stack or the bits
// of its numbers with it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {

// Whole text is one JSON value, UTF-8, nested at most `max_depth` deep. bad_data says where.
Result<> check_json(std::string_view text, int max_depth = limits::kJsonDepth);

struct JsonField {
    enum class Kind : uint8_t { null, boolean, integer, number, string, array, object };
    std::string key;       // unescaped
    std::string_view raw;  // the value's text, within the checked text
    Kind kind = Kind::null;

    bool is_null() const { return kind == Kind::null; }
};

// The fields of the object `text` is; bad_data when it is not JSON or not an object.
Result<std::vector<JsonField>> json_object(std::string_view text,
                                           int max_depth = limits::kJsonDepth + 2);
// The elements of the array `raw`. Requires: checked.
std::vector<JsonField> json_array(std::string_view raw);

// Of a checked value of kind string: its text. Of kind integer: its value, when it fits.
std::string json_string(std::string_view raw);
std::optional<int64_t> json_integer(const JsonField& field);
// Array of strings, or nothing.
std::optional<std::vector<std::string>> json_strings(const JsonField& field);

// The value `raw` as Go's encoder writes what its decoder read: compact, keys sorted, the last of a
// repeated one, numbers that are no integers in their shortest form. `raw` itself when it is no
// JSON.
std::string go_json(std::string_view raw);

// Fields by name, the last of a repeated key wins; names compare exactly, or without regard to case
// as Faktory's do. A null field counts as absent.
class JsonObject {
  public:
    static Result<JsonObject> parse(std::string_view text, bool fold_case = false,
                                    int max_depth = limits::kJsonDepth + 2);

    const JsonField* find(std::string_view name) const;

    const std::vector<JsonField>& fields() const { return fields_; }

    // Absent: nothing. There, but of another kind: bad_data that names the key and what it must be.
    Result<std::optional<std::string>> string(std::string_view name) const;
    Result<std::optional<int64_t>> integer(std::string_view name) const;
    Result<std::optional<bool>> boolean(std::string_view name) const;
    Result<std::optional<std::vector<std::string>>> strings(std::string_view name) const;

  private:
    std::vector<JsonField> fields_;
    bool fold_case_ = false;
};

}  // namespace jobq
