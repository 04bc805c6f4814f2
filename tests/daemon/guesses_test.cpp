// Passwords can't be guessed fast, whoever else connects.
#include "daemon/server/guesses.h"

#include <catch2/catch.hpp>

using jobq::Guesses;

TEST_CASE(
    "an address has a burst of wrong passwords, then one a second, and others are not touched") {
    Guesses guesses;
    int64_t now = 1'000'000;
    for (int i = 1; i <= Guesses::kBurst; ++i) {
        CHECK(guesses.may_try("192.0.2.1:4000", now));
        CHECK(guesses.was_wrong("192.0.2.1:" + std::to_string(4000 + i), now) ==
              (i == Guesses::kBurst));
    }
    CHECK_FALSE(guesses.may_try("192.0.2.1:9", now));
    CHECK(guesses.may_try("192.0.2.2:9", now));
    now += Guesses::kRefillMs - 1;
    CHECK_FALSE(guesses.may_try("192.0.2.1:9", now));
    now += 1;
    CHECK(guesses.may_try("192.0.2.1:9", now));
    CHECK(guesses.was_wrong("192.0.2.1:9", now));
    CHECK_FALSE(guesses.may_try("192.0.2.1:9", now));
}

TEST_CASE("a network of IPv6 counts as one address") {
    Guesses guesses;
    for (int i = 0; i < Guesses::kBurst; ++i)
        guesses.was_wrong("[2001:db8:1:2::" + std::to_string(i) + "]:1", 5);
    CHECK_FALSE(guesses.may_try("[2001:db8:1:2:3:4:5:6]:1", 5));
    CHECK_FALSE(guesses.may_try("2001:db8:1:2:3:4:5:6:1", 5));
    CHECK(guesses.may_try("[2001:db8:1:3::1]:1", 5));
}

TEST_CASE("more addresses than are kept share one count, and memory stays flat") {
    Guesses guesses;
    for (size_t i = 0; i < Guesses::kAddresses + 100; ++i)
        guesses.was_wrong("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1",
                          7);
    CHECK_FALSE(guesses.may_try("198.51.100.7:1", 7));
    CHECK(guesses.may_try("198.51.100.7:1", 7 + 1'000'000));
}
