// Reading JSON objects without changing them: validate once, then pick members as spans of the
// text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {

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

// Fields by name, the last of a repeated key wins; names compare exactly, or without regard to case
// as Faktory's do. A null field counts as absent.
class JsonFields {
  public:
    static Result<JsonFields> parse(std::string_view text, bool fold_case = false,
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
