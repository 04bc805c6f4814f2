// JsonWriter: writes JSON text straight into a string. Commas are its business; what is spliced in
// with raw() must be JSON already. Text that is not UTF-8 is mended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"

namespace jobq {

class JsonWriter {
  public:
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

    JsonWriter& field(std::string_view name, int64_t value) { return key(name).number(value); }

    JsonWriter& field(std::string_view name, int value) { return key(name).number(value); }

    JsonWriter& field(std::string_view name, bool value) { return key(name).boolean(value); }

    JsonWriter& field(std::string_view name, const std::vector<std::string>& values) {
        key(name).begin_array();
        for (const auto& value : values)
            text(value);
        return end_array();
    }

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
