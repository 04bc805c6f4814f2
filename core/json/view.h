// JsonView: a look into JSON text without building a tree.
//
// Used for the daemon's answers and for the lines of `enqueue --jsonl`. A view is a slice of the
// text, so what is printed again is what came, byte for byte, and nothing recurses on the depth of
// somebody's data. It does not validate (check_json() does): on malformed text it finds nothing,
// and never reads outside. The text must outlive the view.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobq {

class JsonView {
  public:
    JsonView() = default;
    // `text` may have white space around the value.
    explicit JsonView(std::string_view text);

    std::string_view raw() const { return raw_; }

    bool exists() const { return !raw_.empty(); }

    bool is_object() const { return !raw_.empty() && raw_.front() == '{'; }

    bool is_array() const { return !raw_.empty() && raw_.front() == '['; }

    bool is_string() const { return !raw_.empty() && raw_.front() == '"'; }

    // The member of an object, the first of that name; a view that does not exist when there is
    // none.
    JsonView operator[](std::string_view key) const;
    // Members of an object with unescaped names, elements of an array with empty ones.
    std::vector<std::pair<std::string, JsonView>> members() const;
    std::vector<JsonView> items() const;

    // The string without quotes and escapes; numbers and words as they stand; "" when absent.
    std::string text() const;
    int64_t number(int64_t otherwise = 0) const;
    std::optional<int64_t> maybe_number() const;

    bool flag() const { return raw_ == "true"; }

  private:
    std::string_view raw_;
};

}  // namespace jobq
