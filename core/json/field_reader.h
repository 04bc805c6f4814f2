// FieldReader: the members of one JSON object, read one after another; the first thing that is
// wrong is kept, so that a message is read whole and judged once.
//
// Must stay true: what is absent has its fallback; what is there, of another kind, is an error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/json/fields.h"

namespace jobq {

class FieldReader {
  public:
    // `json` must outlive the reader.
    explicit FieldReader(std::string_view json, int max_depth = limits::kJsonDepth + 2) {
        auto parsed = JsonFields::parse(json, false, max_depth);
        if (parsed) {
            object_ = std::move(*parsed);
        } else {
            error_ = parsed.error();
        }
    }

    std::string text(std::string_view key, std::string fallback = "") {
        return take(object_.string(key)).value_or(std::move(fallback));
    }

    int64_t number(std::string_view key, int64_t fallback = 0) {
        return take(object_.integer(key)).value_or(fallback);
    }

    bool flag(std::string_view key, bool fallback = false) {
        return take(object_.boolean(key)).value_or(fallback);
    }

    std::vector<std::string> texts(std::string_view key) {
        return take(object_.strings(key)).value_or(std::vector<std::string>());
    }

    // Like texts(), but it must be there and not be empty.
    std::vector<std::string> some_texts(std::string_view key) {
        auto values = texts(key);
        if (values.empty()) require(key);
        return values;
    }

    std::string some_text(std::string_view key) {
        auto value = text(key);
        if (value.empty()) require(key);
        return value;
    }

    // Strings by name: a member that is an object of strings.
    std::map<std::string, std::string> text_map(std::string_view key) {
        std::map<std::string, std::string> values;
        for (const auto& member : members(key)) {
            if (member.kind == JsonField::Kind::string) {
                values.insert_or_assign(member.key, json_string(member.raw));
            } else {
                refuse("\"" + std::string(key) + "\" must be an object of strings");
            }
        }
        return values;
    }

    // Of an object; absent: none.
    std::vector<JsonField> members(std::string_view key) {
        const JsonField* field = object_.find(key);
        if (!field) return {};
        if (field->kind == JsonField::Kind::object) {
            auto all = json_object(field->raw);
            if (all) return std::move(*all);
        }
        refuse("\"" + std::string(key) + "\" must be an object");
        return {};
    }

    // Of an array; absent: none.
    std::vector<JsonField> elements(std::string_view key) {
        const JsonField* field = object_.find(key);
        if (!field) return {};
        if (field->kind == JsonField::Kind::array) return json_array(field->raw);
        refuse("\"" + std::string(key) + "\" must be an array");
        return {};
    }

    // Like elements(), but it must be there; it may be empty.
    std::vector<JsonField> required_elements(std::string_view key) {
        if (!has(key)) require(key);
        return elements(key);
    }

    bool has(std::string_view key) const { return object_.find(key) != nullptr; }

    const JsonField* field(std::string_view key) const { return object_.find(key); }

    const std::vector<JsonField>& fields() const { return object_.fields(); }

    const std::optional<Error>& error() const { return error_; }

    void refuse(std::string why) { refuse(Error{ErrorCode::invalid, std::move(why)}); }

    void refuse(Error why) {
        if (!error_) error_ = std::move(why);
    }

    // `value`, unless something was wrong: then that, with the name of the message before it.
    template <class T>
    Result<T> whole(std::string_view what, T value) const {
        if (!error_) return value;
        return fail(error_->code, std::string(what) + ": " + error_->text);
    }

  private:
    template <class T>
    std::optional<T> take(Result<std::optional<T>> value) {
        if (value) return std::move(*value);
        refuse(value.error());
        return std::nullopt;
    }

    void require(std::string_view key) { refuse("\"" + std::string(key) + "\" is required"); }

    JsonFields object_;
    std::optional<Error> error_;
};

}  // namespace jobq
