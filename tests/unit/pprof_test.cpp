// Profiles in pprof's form: what is written is decoded again by the rules of protocol buffers, and
// looked at with the field numbers of profile.proto.
#include "core/profile/pprof.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace jobq::test {
namespace {

// A message: by field, the numbers and the bytes it has there, in order.
struct Decoded {
    std::map<uint64_t, std::vector<uint64_t>> numbers;
    std::map<uint64_t, std::vector<std::string>> bytes;

    uint64_t number(uint64_t field) const {
        const auto at = numbers.find(field);
        return at == numbers.end() ? 0 : at->second.front();
    }
};

uint64_t varint(std::string_view& text) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        REQUIRE_FALSE(text.empty());
        const auto byte = uint8_t(text.front());
        text.remove_prefix(1);
        value |= uint64_t(byte & 0x7F) << shift;
        if (byte < 0x80) return value;
    }
}

Decoded decode(std::string_view text) {
    Decoded message;
    while (!text.empty()) {
        const uint64_t tag = varint(text), field = tag >> 3;
        const uint64_t value = varint(text);
        if ((tag & 7) == 0) {
            message.numbers[field].push_back(value);
            continue;
        }
        REQUIRE((tag & 7) == 2);
        REQUIRE(value <= text.size());
        message.bytes[field].emplace_back(text.substr(0, value));
        text.remove_prefix(value);
    }
    return message;
}

std::vector<uint64_t> packed(std::string_view text) {
    std::vector<uint64_t> values;
    while (!text.empty())
        values.push_back(varint(text));
    return values;
}

RawProfile two_stacks() {
    RawProfile profile;
    profile.period_us = 10'000;
    profile.map = {{0x1000, 0x2000, 0x300, "/usr/bin/jobqd"}, {0x8000, 0x9000, 0, "/lib/libc.so"}};
    profile.stacks = {{{0x1010, 0x1101}, 3}, {{0x8000, 0x1101}, 300}};
    return profile;
}

}  // namespace

TEST_CASE("pprof: samples, places and mappings of a CPU profile, with names") {
    PprofAbout about;
    about.taken_ms = 1'700'000'002'000;
    about.duration_ms = 2'000;
    about.build_ids = {{"/usr/bin/jobqd", "abcdef"}};
    about.name = [](uint64_t address) { return address < 0x8000 ? "ours" : "libc's"; };
    const Decoded profile = decode(to_pprof(two_stacks(), about));
    const auto& strings = profile.bytes.at(6);
    CHECK(strings.front().empty());
    const auto text = [&](uint64_t at) { return strings.at(at); };

    REQUIRE(profile.bytes.at(1).size() == 2);
    const Decoded second_type = decode(profile.bytes.at(1)[1]);
    CHECK(text(second_type.number(1)) == "cpu");
    CHECK(text(second_type.number(2)) == "nanoseconds");
    CHECK(profile.number(9) == 1'700'000'000'000'000'000);
    CHECK(profile.number(10) == 2'000'000'000);
    CHECK(profile.number(12) == 10'000'000);

    REQUIRE(profile.bytes.at(3).size() == 2);
    const Decoded mapping = decode(profile.bytes.at(3)[0]);
    CHECK(mapping.number(2) == 0x1000);
    CHECK(mapping.number(3) == 0x2000);
    CHECK(mapping.number(4) == 0x300);
    CHECK(text(mapping.number(5)) == "/usr/bin/jobqd");
    CHECK(text(mapping.number(6)) == "abcdef");

    // The return address 0x1101 stands for its call; both stacks share that place.
    REQUIRE(profile.bytes.at(4).size() == 3);
    std::map<uint64_t, Decoded> places;
    for (const auto& bytes : profile.bytes.at(4))
        places[decode(bytes).number(1)] = decode(bytes);
    REQUIRE(profile.bytes.at(2).size() == 2);
    const Decoded sample = decode(profile.bytes.at(2)[1]);
    CHECK(packed(sample.bytes.at(2).front()) == std::vector<uint64_t>{300, 3'000'000'000});
    const auto ids = packed(sample.bytes.at(1).front());
    REQUIRE(ids.size() == 2);
    CHECK(places.at(ids[0]).number(3) == 0x8000);
    CHECK(places.at(ids[0]).number(2) == 2);
    CHECK(places.at(ids[1]).number(3) == 0x1100);
    CHECK(places.at(ids[1]).number(2) == 1);
    REQUIRE(profile.bytes.at(5).size() == 2);
    const Decoded line = decode(places.at(ids[0]).bytes.at(4).front());
    for (const auto& bytes : profile.bytes.at(5)) {
        const Decoded function = decode(bytes);
        CHECK((text(function.number(2)) == "libc's") == (function.number(1) == line.number(1)));
    }
}

TEST_CASE("pprof: a heap profile without names") {
    RawProfile raw = two_stacks();
    raw.heap = true;
    const Decoded profile = decode(to_pprof(raw, {}));
    const auto& strings = profile.bytes.at(6);
    const Decoded type = decode(profile.bytes.at(1).front());
    CHECK(strings.at(type.number(1)) == "inuse_space");
    CHECK(strings.at(type.number(2)) == "bytes");
    CHECK(profile.bytes.count(5) == 0);
    const Decoded sample = decode(profile.bytes.at(2).front());
    CHECK(packed(sample.bytes.at(2).front()) == std::vector<uint64_t>{3});
    // Where memory was allocated is a return address too.
    CHECK(decode(profile.bytes.at(4).front()).number(3) == 0x100F);
    CHECK(decode(profile.bytes.at(4).front()).bytes.count(4) == 0);
}

TEST_CASE("a profile that is cut or odd is refused") {
    CHECK(parse_profile("jemalloc-heap", "heap_v2/0\n").error().code == ErrorCode::corrupt);
    CHECK(parse_profile("gperftools-cpu", std::string(40, '\0')).error().code ==
          ErrorCode::corrupt);
    CHECK(parse_profile("perf", "").error().code == ErrorCode::corrupt);
}

}  // namespace jobq::test
