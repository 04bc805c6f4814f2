// daemon/observe/events: who gets which events, and when none need be made.
#include "daemon/observe/events.h"

#include <catch2/catch.hpp>

#include "tests/support/test_reactor.h"

using namespace jobq;

TEST_CASE("a subscriber gets the events it named, or all") {
    test::TestReactor reactor;
    Events events(reactor);
    CHECK_FALSE(events.wanted("dead"));
    auto dead = events.subscribe({"dead", "retry"});
    CHECK(events.wanted("dead"));
    CHECK_FALSE(events.wanted("started"));
    auto all = events.subscribe();
    CHECK(events.wanted("started"));
    events.publish("started", "{}");
    events.publish("dead", "{}");
    REQUIRE(dead->waiting.size() == 1);
    CHECK(dead->waiting.front()->name == "dead");
    CHECK(all->waiting.size() == 2);
}

TEST_CASE("only what a slow subscriber wants pushes its older events out") {
    test::TestReactor reactor;
    Events events(reactor);
    auto dead = events.subscribe({"dead"});
    for (size_t i = 0; i < Events::kBacklog; ++i) {
        events.publish("dead", "{}");
        events.publish("started", "{}");
    }
    CHECK(dead->lost == 0);
    events.publish("dead", "{}");
    CHECK(dead->lost == 1);
    CHECK(dead->waiting.size() == Events::kBacklog);
}

TEST_CASE("nobody is served after the last subscriber has gone") {
    test::TestReactor reactor;
    Events events(reactor);
    events.subscribe({"dead"}).reset();
    events.publish("dead", "{}");
    CHECK_FALSE(events.wanted("dead"));
}
