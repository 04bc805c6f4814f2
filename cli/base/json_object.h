// JsonObject: a JSON object under construction, for requests and for `-o json`.
//
// Values given as raw JSON are spliced as they are; texts must be UTF-8 (parse() checked argv).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"

namespace jobq::cli {

class JsonObject {
  public:
    JsonObject& raw(std::string_view key, std::string_view json) {
        text_ += text_.size() == 1 ? "\"" : ",\"";
        append_json_escaped(text_, key);
        text_ += "\":";
        text_ += json;
        return *this;
    }

    JsonObject& text(std::string_view key, std::string_view value) {
        return raw(key, json_quoted(value));
    }

    JsonObject& number(std::string_view key, int64_t value) {
        return raw(key, std::to_string(value));
    }

    JsonObject& flag(std::string_view key, bool value) {
        return raw(key, value ? "true" : "false");
    }

    JsonObject& texts(std::string_view key, const std::vector<std::string>& values) {
        std::string array = "[";
        for (const auto& value : values) {
            if (array.size() > 1) array += ',';
            array += json_quoted(value);
        }
        return raw(key, array + "]");
    }

    std::string done() const { return text_ + "}"; }

    bool empty() const { return text_.size() == 1; }

  private:
    std::string text_ = "{";
};

}  // namespace jobq::cli
