// daemon/observe/events: who gets which events, and when none need be made.
#include "daemon/observe/events.h"

#include <catch2/catch.hpp>

#include "tests/support/test_reactor.h"

using namespace jobq;

TEST_CASE("a subscriber gets the events it named, or all") {
    test::TestReactor reactor;
    Events events(reactor);
    CHECK_FALSE(events.wanted("dead"));
    auto dead = events.subscribe({{"dead", "retry"}, "", ""});
    CHECK(events.wanted("dead"));
    CHECK_FALSE(events.wanted("started"));
    auto all = events.subscribe();
    CHECK(events.wanted("started"));
    events.publish({"started", "{}", "mail", "welcome"});
    events.publish({"dead", "{}", "mail", "welcome"});
    REQUIRE(dead->waiting.size() == 1);
    CHECK(dead->waiting.front()->name == "dead");
    CHECK(all->waiting.size() == 2);
}

TEST_CASE("only what a slow subscriber wants pushes its older events out") {
    test::TestReactor reactor;
    Events events(reactor);
    auto dead = events.subscribe({{"dead"}, "", ""});
    for (size_t i = 0; i < Events::kBacklog; ++i) {
        events.publish({"dead", "{}", "mail", "welcome"});
        events.publish({"started", "{}", "mail", "welcome"});
    }
    CHECK(dead->lost == 0);
    events.publish({"dead", "{}", "mail", "welcome"});
    CHECK(dead->lost == 1);
    CHECK(dead->waiting.size() == Events::kBacklog);
}

TEST_CASE("nobody is served after the last subscriber has gone") {
    test::TestReactor reactor;
    Events events(reactor);
    events.subscribe({{"dead"}, "", ""}).reset();
    events.publish({"dead", "{}", "mail", "welcome"});
    CHECK_FALSE(events.wanted("dead"));
}

TEST_CASE("a filter may name a queue and a type") {
    test::TestReactor reactor;
    Events events(reactor);
    auto mail = events.subscribe({{}, "mail", ""}), both = events.subscribe({{}, "mail", "other"});
    events.publish({"dead", "{}", "mail", "welcome"});
    events.publish({"dead", "{}", "sms", "other"});
    events.publish({"storage_full", "{}", "", ""});
    CHECK(mail->waiting.size() == 1);
    CHECK(both->waiting.empty());
}

TEST_CASE("who comes back is told what it missed, or that it missed something") {
    test::TestReactor reactor;
    Events events(reactor);
    auto publish = [&](int count) {
        for (int i = 0; i < count; ++i)
            if (events.wanted("dead")) events.publish({"dead", "{}", "mail", "welcome"});
    };
    auto first = events.resume({}, std::nullopt);
    publish(3);
    REQUIRE(first->waiting.size() == 3);
    const uint64_t second = first->waiting[1]->id;
    first.reset();
    publish(2);  // nobody is there, and it is kept
    SECTION("within the time it is all there, in order") {
        reactor.advance(Events::kReplayMs - 1);
        auto again = events.resume({}, second);
        CHECK(again->lost == 0);
        REQUIRE(again->waiting.size() == 3);
        CHECK(again->waiting.front()->id == second + 1);
        CHECK(again->waiting.back()->id == second + 3);
        CHECK(events.resume({}, second + 3)->waiting.empty());
        CHECK(events.resume({{"retry"}, "", ""}, second)->waiting.empty());
    }
    SECTION("of too many the last are kept, the others counted") {
        publish(int(Events::kReplay));
        auto again = events.resume({}, second);
        CHECK(again->waiting.size() == Events::kReplay);
        CHECK(again->lost == 3);
    }
    SECTION("later there is a gap, also when nothing was published meanwhile") {
        reactor.advance(Events::kReplayMs + 1);
        CHECK_FALSE(events.wanted("dead"));
        publish(5);
        auto again = events.resume({}, second + 3);
        CHECK(again->lost > 0);
        CHECK(again->waiting.empty());
        publish(1);
        CHECK(again->waiting.size() == 1);
    }
}
