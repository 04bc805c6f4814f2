#include "core/profile/pprof.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace jobq {
namespace {

// A message of protocol buffers under construction
// (https://protobuf.dev/programming-guides/encoding/). Zeros are left out, as proto3 does.
class Message {
  public:
    Message& number(uint32_t field, uint64_t value) {
        if (value == 0) return *this;
        varint(field << 3);
        varint(value);
        return *this;
    }

    Message& bytes(uint32_t field, std::string_view value) {
        varint(field << 3 | 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }

    Message& message(uint32_t field, const Message& value) { return bytes(field, value.bytes_); }

    Message& packed(uint32_t field, const std::vector<uint64_t>& values) {
        Message all;
        for (uint64_t value : values)
            all.varint(value);
        return message(field, all);
    }

    std::string take() { return std::move(bytes_); }

  private:
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            bytes_ += char(value | 0x80);
        bytes_ += char(value);
    }

    std::string bytes_;
};

// Field numbers of profile.proto.
namespace field {
enum Profile : uint8_t {
    sample_type = 1,
    sample = 2,
    mapping = 3,
    location = 4,
    function = 5,
    string_table = 6,
    time_nanos = 9,
    duration_nanos = 10,
    period_type = 11,
    period = 12,
};
}  // namespace field

class Writer {
  public:
    Writer(const RawProfile& profile, const PprofAbout& about) : profile_(profile), about_(about) {
        string("");
    }

    std::string done() {
        if (profile_.heap) {
            out_.message(field::sample_type, value_type("inuse_space", "bytes"));
        } else {
            out_.message(field::sample_type, value_type("samples", "count"));
            out_.message(field::sample_type, value_type("cpu", "nanoseconds"));
        }
        mappings();
        for (const auto& stack : profile_.stacks)
            sample(stack);
        out_.number(field::time_nanos, uint64_t(about_.taken_ms - about_.duration_ms) * 1'000'000);
        out_.number(field::duration_nanos, uint64_t(about_.duration_ms) * 1'000'000);
        if (!profile_.heap) {
            out_.message(field::period_type, value_type("cpu", "nanoseconds"));
            out_.number(field::period, period_ns());
        }
        for (const auto& text : strings_)
            out_.bytes(field::string_table, text);
        return out_.take();
    }

  private:
    uint64_t period_ns() const { return uint64_t(profile_.period_us) * 1'000; }

    uint64_t string(const std::string& text) {
        auto [at, fresh] = string_ids_.try_emplace(text, strings_.size());
        if (fresh) strings_.push_back(text);
        return at->second;
    }

    Message value_type(const char* type, const char* unit) {
        return Message().number(1, string(type)).number(2, string(unit));
    }

    void mappings() {
        for (size_t i = 0; i < profile_.map.size(); ++i) {
            const Mapping& one = profile_.map[i];
            Message mapping;
            mapping.number(1, i + 1).number(2, one.start).number(3, one.end).number(4, one.offset);
            mapping.number(5, string(one.path));
            const auto build_id = about_.build_ids.find(one.path);
            if (build_id != about_.build_ids.end()) mapping.number(6, string(build_id->second));
            mapping.number(7, about_.name ? 1 : 0);  // has_functions
            out_.message(field::mapping, mapping);
        }
    }

    // 0: it lies in no file.
    uint64_t mapping_of(uint64_t address) const {
        const auto& map = profile_.map;
        const auto at = std::find_if(map.begin(), map.end(), [address](const Mapping& one) {
            return address >= one.start && address < one.end;
        });
        return at == map.end() ? 0 : uint64_t(at - map.begin()) + 1;
    }

    uint64_t function(uint64_t address) {
        const std::string name = about_.name(address);
        auto [at, fresh] = functions_.try_emplace(name, functions_.size() + 1);
        if (fresh) {
            const uint64_t text = string(name);
            out_.message(field::function,
                         Message().number(1, at->second).number(2, text).number(3, text));
        }
        return at->second;
    }

    uint64_t location(uint64_t address) {
        auto [at, fresh] = locations_.try_emplace(address, locations_.size() + 1);
        const uint64_t id = at->second;
        if (!fresh) return id;
        Message location;
        location.number(1, id).number(2, mapping_of(address)).number(3, address);
        if (about_.name) location.message(4, Message().number(1, function(address)));
        out_.message(field::location, location);
        return id;
    }

    void sample(const RawStack& stack) {
        std::vector<uint64_t> ids;
        for (size_t i = 0; i < stack.addresses.size(); ++i)
            ids.push_back(location(call_address(profile_, stack, i)));
        const auto value = uint64_t(std::llround(stack.value));
        Message message;
        message.packed(1, ids);
        message.packed(
            2, profile_.heap ? std::vector{value} : std::vector{value, value * period_ns()});
        out_.message(field::sample, message);
    }

    const RawProfile& profile_;
    const PprofAbout& about_;
    Message out_;
    std::vector<std::string> strings_;
    std::unordered_map<std::string, uint64_t> string_ids_, functions_;
    std::unordered_map<uint64_t, uint64_t> locations_;
};

}  // namespace

std::string to_pprof(const RawProfile& profile, const PprofAbout& about) {
    return Writer(profile, about).done();
}

}  // namespace jobq
