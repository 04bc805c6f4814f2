// Watchers: who watches a job hears that it may have changed, and nobody is left behind.
#include "daemon/broker/watchers.h"

#include <catch2/catch.hpp>
#include <memory>

#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

using Jids = std::set<std::string>;

}  // namespace

TEST_CASE("watchers: each watch of a job hears of it, and of no other") {
    TestReactor reactor;
    Watchers watchers(reactor);
    JobWatch one(watchers, {"a", "b"}), two(watchers, {"b", "c"});
    CHECK(watchers.watched() == 3);
    watchers.changed("a");
    watchers.changed("nobody's");
    CHECK(one.take_changed() == Jids{"a"});
    CHECK(two.take_changed().empty());
    watchers.changed("b");
    watchers.changed("b");
    CHECK(one.take_changed() == Jids{"b"});
    CHECK(two.take_changed() == Jids{"b"});
    CHECK(one.take_changed().empty());
}

TEST_CASE(
    "watchers: a wait ends with a change, at once with one that came before, or at its limit") {
    TestReactor reactor;
    Watchers watchers(reactor);
    JobWatch watch(watchers, {"a"});
    const int64_t began = reactor.now_ms();
    reactor.after(300, [&] { watchers.changed("a"); });
    run_task(reactor, watch.wait(1'000));
    CHECK(reactor.now_ms() == began + 300);
    run_task(reactor, watch.wait(1'000));  // not taken yet
    CHECK(reactor.now_ms() == began + 300);
    CHECK(watch.take_changed() == Jids{"a"});
    run_task(reactor, watch.wait(1'000));
    CHECK(reactor.now_ms() == began + 1'300);
    CHECK(watch.take_changed().empty());
}

TEST_CASE("watchers: what nobody watches any more is forgotten, whoever goes first") {
    TestReactor reactor;
    Watchers watchers(reactor);
    auto one = std::make_unique<JobWatch>(watchers, std::vector<std::string>{"a", "b"});
    auto two = std::make_unique<JobWatch>(watchers, std::vector<std::string>{"b", "b"});
    one.reset();
    CHECK(watchers.watched() == 1);
    watchers.changed("b");
    CHECK(two->take_changed() == Jids{"b"});
    two.reset();
    CHECK(watchers.watched() == 0);
    watchers.changed("b");
    run_task(reactor, watchers.wait_for("c", 50));
    CHECK(watchers.watched() == 0);
}
