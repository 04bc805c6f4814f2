// core/base/trace_context: the specification's examples, and what is not a context.
#include "core/base/trace_context.h"

#include <catch2/catch.hpp>

#include "core/base/rng.h"

using namespace jobq;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
const std::string kExample = "00-" + kTrace + "-" + kSpan + "-01";

std::string with(std::string text, size_t at, char c) {
    text[at] = c;
    return text;
}

}  // namespace

TEST_CASE("traceparent: the examples of the specification are read") {
    auto sampled = parse_traceparent(kExample);
    REQUIRE(sampled);
    CHECK(hex(sampled->trace) == kTrace);
    CHECK(hex(sampled->span) == kSpan);
    CHECK(sampled->sampled);
    CHECK(format_traceparent(*sampled) == kExample);
    auto not_sampled = parse_traceparent("00-" + kTrace + "-" + kSpan + "-00");
    REQUIRE(not_sampled);
    CHECK_FALSE(not_sampled->sampled);
    CHECK(format_traceparent(*not_sampled) == "00-" + kTrace + "-" + kSpan + "-00");
}

TEST_CASE("traceparent: of the flags only `sampled` is known") {
    auto all = parse_traceparent("00-" + kTrace + "-" + kSpan + "-ff");
    REQUIRE(all);
    CHECK(format_traceparent(*all) == kExample);
    auto others = parse_traceparent("00-" + kTrace + "-" + kSpan + "-fe");
    REQUIRE(others);
    CHECK_FALSE(others->sampled);
}

TEST_CASE("traceparent: a later version is read as far as version 00 goes") {
    for (std::string later : {"cc-" + kTrace + "-" + kSpan + "-01",
                              "cc-" + kTrace + "-" + kSpan + "-01-what-the-future-will-be-like",
                              "01-" + kTrace + "-" + kSpan + "-09-"}) {
        CAPTURE(later);
        auto read = parse_traceparent(later);
        REQUIRE(read);
        CHECK(format_traceparent(*read) == kExample);
    }
    CHECK_FALSE(parse_traceparent("cc-" + kTrace + "-" + kSpan + "-01.what"));
    CHECK_FALSE(parse_traceparent("ff-" + kTrace + "-" + kSpan + "-01"));
}

TEST_CASE("traceparent: what is not a context is refused, and the error says why") {
    const std::string zeros(32, '0');
    const std::vector<std::pair<std::string, std::string>> bad{
        {"", "too short"},
        {"00", "too short"},
        {kExample.substr(0, 54), "too short"},
        {kExample + "-", "too long"},
        {kExample + "-00", "too long"},
        {kExample + " ", "too long"},
        {" " + kExample.substr(0, 54), "dashes"},
        {with(kExample, 2, '_'), "dashes"},
        {with(kExample, 35, '0'), "dashes"},
        {with(kExample, 52, ' '), "dashes"},
        {with(kExample, 0, 'g'), "version"},
        {with(kExample, 1, 'A'), "version"},
        {with(kExample, 3, 'A'), "trace id"},
        {with(kExample, 20, '\0'), "trace id"},
        {with(kExample, 20, char(0xc3)), "trace id"},
        {with(kExample, 20, '-'), "trace id"},
        {with(kExample, 40, 'F'), "parent id"},
        {with(kExample, 53, '.'), "flags"},
        {with(kExample, 54, 'A'), "flags"},
        {"00-" + zeros + "-" + kSpan + "-01", "not all zeros"},
        {"00-" + kTrace + "-" + zeros.substr(16) + "-01", "not all zeros"},
    };
    for (const auto& [text, why] : bad) {
        CAPTURE(text, why);
        auto read = parse_traceparent(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == ErrorCode::invalid);
        CHECK(read.error().text.find(why) != std::string::npos);
        CHECK_FALSE(read_traceparent(text));
    }
}

TEST_CASE("traceparent: an error shows a bounded part of what was given, without its escapes") {
    auto read = parse_traceparent(std::string(100'000, '\x1b') + "[31m");
    REQUIRE_FALSE(read);
    CHECK(read.error().text.size() < 400);
    CHECK(read.error().text.find('\x1b') == std::string::npos);
}

TEST_CASE("traceparent: one changed character gives a context or an error, never anything else") {
    Rng rng(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string text = kExample;
        for (int n = 0; n < 2; ++n)
            text[rng.below(text.size())] = char(rng.below(256));
        auto read = parse_traceparent(text);
        if (!read) continue;
        auto again = parse_traceparent(format_traceparent(*read));
        REQUIRE(again);
        CHECK(*again == *read);
    }
}
