// Passwords can't be guessed fast, whoever else connects.
#include "daemon/server/guesses.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

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

TEST_CASE(
    "so many of one address wait, and of all; no address keeps another from being looked at") {
    Guesses guesses;
    std::vector<std::shared_ptr<const void>> waiting;
    const auto one = [](int i) { return "192.0.2.1:" + std::to_string(i); };
    for (int i = 0; i < Guesses::kBurst; ++i)
        guesses.was_wrong(one(i), 5);
    for (int i = 0; i < Guesses::kWaitingOfOne; ++i) {
        CHECK_FALSE(guesses.is_full(one(i), 5));
        waiting.push_back(guesses.hold(one(i)));
        REQUIRE(waiting.back());
    }
    CHECK(guesses.is_full(one(0), 5));
    CHECK(guesses.hold(one(0)) == nullptr);
    CHECK_FALSE(guesses.is_full("192.0.2.2:1", 5));
    CHECK(guesses.hold("192.0.2.2:1") != nullptr);
    waiting.pop_back();
    CHECK_FALSE(guesses.is_full(one(0), 5));
    for (int i = 0; int(waiting.size()) < Guesses::kWaitingOfAll; ++i)
        waiting.push_back(
            guesses.hold("10.0.0." + std::to_string(i / Guesses::kWaitingOfOne) + ":1"));
    CHECK(guesses.hold("203.0.113.9:1") == nullptr);
    // It has tried nothing: it is heard.
    CHECK_FALSE(guesses.is_full("203.0.113.9:1", 5));
    CHECK(guesses.may_try("203.0.113.9:1", 5));
}

TEST_CASE("who waits may outlive the count") {
    std::shared_ptr<const void> waiting;
    {
        Guesses guesses;
        waiting = guesses.hold("192.0.2.1:1");
    }
    REQUIRE(waiting);
    waiting.reset();
}
