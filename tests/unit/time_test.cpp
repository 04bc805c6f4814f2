// core/base/time: durations, sizes and times as people write them.
#include "core/base/time.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "core/base/rng.h"

using namespace jobq;

TEST_CASE("a duration is numbers with units, largest first") {
    CHECK(parse_duration_ms("30s") == 30'000);
    CHECK(parse_duration_ms("5m") == 300'000);
    CHECK(parse_duration_ms("1h30m") == 5'400'000);
    CHECK(parse_duration_ms("250ms") == 250);
    CHECK(parse_duration_ms("2d") == 172'800'000);
    CHECK(parse_duration_ms("1d2h3m4s5ms") == 93'784'005);
    CHECK(parse_duration_ms("90m") == 5'400'000);
    CHECK(parse_duration_ms("0s") == 0);
}

TEST_CASE("what is no duration is refused with an example") {
    for (const char* bad : {"", "s", "5", "-5s", "5x", "1.5s", "5 s", "5s ", "30m1h", "1s1s", "5S",
                            "9223372036854775807d", "99999999999999999999s"}) {
        INFO(bad);
        auto result = parse_duration_ms(bad);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == ErrorCode::invalid);
        CHECK(result.error().text.find("\"" + std::string(bad) + "\"") == 0);
    }
    CHECK(parse_duration_ms("5").error().text.find("5s") != std::string::npos);
}

TEST_CASE("a formatted duration is read back as itself") {
    CHECK(format_duration(0) == "0s");
    CHECK(format_duration(5'400'000) == "1h30m");
    CHECK(format_duration(250) == "250ms");
    CHECK(format_duration(1'500) == "1s500ms");
    CHECK(format_duration(-1'500) == "-1s500ms");
    CHECK(format_duration(86'400'000) == "1d");
    Rng rng(3);
    for (int i = 0; i < 2000; ++i) {
        int64_t ms = int64_t(rng.next() >> (4 + rng.below(58)));
        CHECK(parse_duration_ms(format_duration(ms)) == ms);
    }
}

TEST_CASE("a size has binary or decimal units or none") {
    CHECK(parse_size_bytes("64KiB") == 65'536);
    CHECK(parse_size_bytes("10MB") == 10'000'000);
    CHECK(parse_size_bytes("1GiB") == 1'073'741'824);
    CHECK(parse_size_bytes("512") == 512);
    CHECK(parse_size_bytes("512B") == 512);
    CHECK(parse_size_bytes("2tib") == 2LL << 40);
    CHECK(parse_size_bytes("0") == 0);
    for (const char* bad : {"", "KiB", "-1", "1.5MB", "1 MB", "64K", "1PB", "9223372036854775807KB",
                            "99999999999999999999"}) {
        INFO(bad);
        CHECK_FALSE(parse_size_bytes(bad));
    }
}

TEST_CASE("RFC 3339 times are read with offset and fraction") {
    CHECK(parse_rfc3339_ms("1970-01-01T00:00:00Z") == 0);
    CHECK(parse_rfc3339_ms("2026-11-22T10:59:59Z") == 1'795'345'199'000);
    CHECK(parse_rfc3339_ms("2026-11-22T11:59:59+01:00") == 1'795'345'199'000);
    CHECK(parse_rfc3339_ms("2026-11-22T05:29:59-05:30") == 1'795'345'199'000);
    CHECK(parse_rfc3339_ms("2026-11-22 10:59:59z") == 1'795'345'199'000);
    CHECK(parse_rfc3339_ms("2026-11-22T10:59:59.5Z") == 1'795'345'199'500);
    CHECK(parse_rfc3339_ms("2026-11-22T10:59:59.123999999Z") == 1'795'345'199'123);
    CHECK(parse_rfc3339_ms("1969-12-31T23:59:59.5Z") == -500);
    CHECK(parse_rfc3339_ms("2024-02-29T00:00:00Z").has_value());
    CHECK(parse_rfc3339_ms("2016-12-31T23:59:60Z") ==
          parse_rfc3339_ms("2017-01-01T00:00:00Z").value());
}

TEST_CASE("what is no time is refused with an example") {
    for (const char* bad : {"", "now", "2026-11-22", "2026-11-22T10:59:59", "2026-13-22T10:59:59Z",
                            "2026-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-22T24:00:00Z",
                            "2026-11-22T10:60:00Z", "2026-11-22T10:59:61Z", "2026-11-22T10:59:59.Z",
                            "2026-11-22T10:59:59.1234567890Z", "2026-11-22T10:59:59+1:00",
                            "2026-11-22T10:59:59+24:00", "2026-11-22T10:59:59Zx",
                            "26-11-22T10:59:59Z", "2026-00-10T00:00:00Z"}) {
        INFO(bad);
        auto result = parse_rfc3339_ms(bad);
        REQUIRE_FALSE(result);
        CHECK(result.error().text.find("use a form such as") != std::string::npos);
    }
}

TEST_CASE("a formatted time is read back as itself") {
    CHECK(format_rfc3339(0) == "1970-01-01T00:00:00Z");
    CHECK(format_rfc3339(1'795'345'199'430) == "2026-11-22T10:59:59.43Z");
    CHECK(format_rfc3339(1'795'345'200'000) == "2026-11-22T11:00:00Z");
    CHECK(format_rfc3339(-500) == "1969-12-31T23:59:59.5Z");
    Rng rng(4);
    for (int i = 0; i < 2000; ++i) {
        int64_t ms = int64_t(rng.below(253'402'300'800'000));
        CHECK(parse_rfc3339_ms(format_rfc3339(ms)) == ms);
    }
}

TEST_CASE("a time may also be said as in 5m") {
    CHECK(parse_time_ms("in 5m", 1'000) == 301'000);
    CHECK(parse_time_ms("in  1h30m", 0) == 5'400'000);
    CHECK(parse_time_ms("2026-11-22T10:59:59Z", 5) == 1'795'345'199'000);
    CHECK_FALSE(parse_time_ms("in five minutes", 0));
    CHECK_FALSE(parse_time_ms("5m", 0));
    CHECK_FALSE(parse_time_ms("in 106751991167d", INT64_MAX - 5));
}

TEST_CASE("a time with microseconds has always six digits and is read back as itself") {
    CHECK(format_rfc3339_us(0) == "1970-01-01T00:00:00.000000Z");
    CHECK(format_rfc3339_us(1'795'345'199'430'007) == "2026-11-22T10:59:59.430007Z");
    CHECK(format_rfc3339_us(-1) == "1969-12-31T23:59:59.999999Z");
    for (const int64_t us : {int64_t(0), int64_t(-1), int64_t(1'795'345'199'430'007)}) {
        CHECK(parse_rfc3339_us(format_rfc3339_us(us)) == us);
        CHECK(parse_rfc3339_ms(format_rfc3339_us(us)) == (us < 0 ? -1 : us / 1000));
    }
    CHECK(parse_rfc3339_us("2026-11-22T11:59:59.4300079+01:00") == 1'795'345'199'430'007);
    CHECK_FALSE(parse_rfc3339_us("2026-11-22"));
}
