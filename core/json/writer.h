// JsonWriter: the one writer of JSON, straight into a string. Commas are its business; what is
// spliced in with raw() must be JSON already. Text that is not UTF-8 is mended.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"

namespace jobq {

class JsonWriter {
  public:
    // One whose object is begun, for a text that is one object, of about `room` bytes: see done().
    static JsonWriter object(size_t room = 0) {
        JsonWriter writer;
        writer.out_.reserve(room);
        writer.begin_object();
        return writer;
    }

    JsonWriter& begin_object() { return open('{'); }

    JsonWriter& end_object() { return close('}'); }

    JsonWriter& begin_array() { return open('['); }

    JsonWriter& end_array() { return close(']'); }

    JsonWriter& key(std::string_view name) {
        comma();
        out_ += '"';
        append_json_escaped(out_, name);
        out_ += "\":";
        fresh_ = true;
        return *this;
    }

    JsonWriter& text(std::string_view value) {
        comma();
        out_ += '"';
        append_json_escaped(out_, is_utf8(value) ? value : std::string_view(to_utf8(value)));
        out_ += '"';
        return *this;
    }

    JsonWriter& number(int64_t value) {
        comma();
        out_ += std::to_string(value);
        return *this;
    }

    JsonWriter& boolean(bool value) {
        comma();
        out_ += value ? "true" : "false";
        return *this;
    }

    JsonWriter& raw(std::string_view json) {
        comma();
        out_ += json;
        return *this;
    }

    JsonWriter& field(std::string_view name, std::string_view value) {
        return key(name).text(value);
    }

    JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }

    JsonWriter& field(std::string_view name, const std::string& value) {
        return key(name).text(value);
    }

    template <std::integral Value>
    JsonWriter& field(std::string_view name, Value value) {
        key(name);
        if constexpr (std::same_as<Value, bool>)
            return boolean(value);
        else
            return number(int64_t(value));
    }

    JsonWriter& field(std::string_view name, const std::vector<std::string>& values) {
        key(name).begin_array();
        for (const auto& value : values)
            text(value);
        return end_array();
    }

    // A member whose value is JSON already.
    JsonWriter& raw(std::string_view name, std::string_view json) { return key(name).raw(json); }

    // Of one that object() began: its text, as if it ended here.
    std::string done() const { return out_ + "}"; }

    bool empty() const { return out_ == "{"; }

    std::string take() { return std::move(out_); }

    size_t size() const { return out_.size(); }

  private:
    JsonWriter& open(char bracket) {
        comma();
        out_ += bracket;
        fresh_ = true;
        return *this;
    }

    JsonWriter& close(char bracket) {
        out_ += bracket;
        fresh_ = false;
        return *this;
    }

    void comma() {
        if (!fresh_) out_ += ',';
        fresh_ = false;
    }

    std::string out_;
    bool fresh_ = true;  // nothing before on this level
};

}  // namespace jobq
