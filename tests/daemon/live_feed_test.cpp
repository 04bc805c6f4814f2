// daemon/observe/live_feed: one sample for all, none for nobody, never two for who is slow.
#include "daemon/observe/live_feed.h"

#include <catch2/catch.hpp>

#include "daemon/observe/spread.h"
#include "tests/support/run_task.h"

using namespace jobq;
using test::TestReactor;

namespace {

struct Feed {
    TestReactor reactor;
    int woken = 0, taken = 0;
    LiveFeed feed{reactor,
                  {"a", "b"},
                  R"("version":"1")",
                  [this] { ++woken; },
                  [this] {
                      ++taken;
                      return LiveSample{taken * 1'000, {double(taken), std::nullopt}, "\"n\":1"};
                  }};

    ~Feed() { test::run_task(reactor, feed.stop()); }
};

}  // namespace

TEST_CASE("live feed: nobody looks, nothing is done, and again a while after the last has gone") {
    Feed one;
    one.reactor.advance(100'000);
    CHECK(one.taken == 0);
    auto viewer = one.feed.look();
    one.reactor.advance(LiveFeed::kFirstMs);
    CHECK(one.woken == 1);
    CHECK(one.taken == 1);
    viewer.reset();
    one.reactor.advance(LiveFeed::kLingerMs + 2 * LiveFeed::kEveryMs);
    const int then = one.taken;
    CHECK(then >= 60);
    one.reactor.advance(100'000);
    CHECK(one.taken == then);
    CHECK(one.reactor.timers() == 0);
    viewer = one.feed.look();
    CHECK(viewer->newest == nullptr);  // what there was is too old
    one.reactor.advance(LiveFeed::kFirstMs);
    CHECK(one.woken == 2);
    CHECK(viewer->newest != nullptr);
}

TEST_CASE("live feed: all are given the same text, who does not take it finds the newest alone") {
    Feed one;
    auto first = one.feed.look();
    one.reactor.advance(LiveFeed::kFirstMs);
    auto second = one.feed.look();
    CHECK(second->newest == first->newest);  // at once, not a second later
    CHECK(*first->newest == "event: sample\ndata: {\"row\":[1000,1,null],\"n\":1}\n\n");
    first->newest = nullptr;
    one.reactor.advance(5 * LiveFeed::kEveryMs);
    CHECK(one.taken == 6);
    CHECK(first->newest == second->newest);
    CHECK(first->newest->find("[6000,6,null]") != std::string::npos);
}

TEST_CASE("live feed: the history is ten minutes, oldest first") {
    Feed one;
    auto viewer = one.feed.look();
    one.reactor.advance(LiveFeed::kFirstMs);
    CHECK(one.feed.history() ==
          "event: history\ndata: "
          "{\"version\":\"1\",\"names\":[\"a\",\"b\"],\"rows\":[[1000,1,null]]}\n\n");
    one.reactor.advance(700 * LiveFeed::kEveryMs);
    const std::string text = one.feed.history();
    CHECK(std::count(text.begin(), text.end(), '[') == 2 + int64_t(LiveFeed::kRows));
    CHECK(text.find("\"rows\":[[102000,102,null]") != std::string::npos);
    CHECK(text.find("[701000,701,null]]") != std::string::npos);
}

TEST_CASE("spread: quantiles are at most 1.5 times too large, never too small") {
    Spread spread;
    CHECK_FALSE(spread.quantile(0.5));
    for (int64_t ms = 1; ms <= 1'000; ++ms)
        spread.add(ms);
    for (double part : {0.01, 0.5, 0.9, 0.99, 1.0}) {
        const double right = part * 1'000, told = double(*spread.quantile(part));
        CHECK(told >= right);
        CHECK(told <= 1.5 * right);
    }
    spread.clear();
    spread.add(-5);
    CHECK(spread.quantile(1) == 0);
    spread.add(int64_t(1) << 60);
    CHECK(*spread.quantile(1) > 800'000'000);
    spread.clear();
    for (int64_t ms : {1, 5, 5})
        spread.add(ms);
    CHECK(spread.quantile(0.5) == 5);  // no more than there was
    CHECK(spread.quantile(0.3) == 1);
}
