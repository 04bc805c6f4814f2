// Reading the JSON argument of a JOBQ verb: all fields first, then one look at the first error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/job/state.h"
#include "core/protocol/json_fields.h"

namespace jobq::verbs {

class Request {
  public:
    explicit Request(std::string_view json, int max_depth = limits::kJsonDepth + 2) {
        auto parsed = JsonObject::parse(json, false, max_depth);
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

    bool flag(std::string_view key) { return take(object_.boolean(key)).value_or(false); }

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

    // A state by its name; without a fallback it must be there.
    State state(std::string_view key, const std::string& fallback = "") {
        const std::string name = fallback.empty() ? some_text(key) : text(key, fallback);
        const auto known = state_from_name(name);
        if (known) return *known;
        std::string all;
        for (std::string_view one : kStateNames)
            all.append(all.empty() ? "" : ", ").append(one);
        refuse("unknown state " + json_quoted(name) + "; it is one of " + all);
        return State::ready;
    }

    bool has(std::string_view key) const { return object_.find(key) != nullptr; }

    const JsonField* field(std::string_view key) const { return object_.find(key); }

    const std::vector<JsonField>& fields() const { return object_.fields(); }

    const std::optional<Error>& error() const { return error_; }

    void refuse(std::string why) {
        if (!error_) error_ = Error{ErrorCode::invalid, std::move(why)};
    }

  private:
    template <class T>
    std::optional<T> take(Result<std::optional<T>> value) {
        if (value) return std::move(*value);
        if (!error_) error_ = value.error();
        return std::nullopt;
    }

    void require(std::string_view key) { refuse("\"" + std::string(key) + "\" is wanted here"); }

    JsonObject object_;
    std::optional<Error> error_;
};

}  // namespace jobq::verbs
