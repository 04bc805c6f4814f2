// pick_order: the order in which a pool tries its queues.
#include "core/policy/pick.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

using namespace jobq;

TEST_CASE("pick: a strict pool tries its queues as they are configured") {
    Rng rng(1);
    const std::vector<QueueWeight> queues{{"low", 1}, {"high", 100}, {"low2", 1}};
    for (int i = 0; i < 20; ++i)
        CHECK(pick_order(queues, true, rng) == std::vector<std::string>{"low", "high", "low2"});
    CHECK(pick_order({}, true, rng).empty());
    CHECK(pick_order({}, false, rng).empty());
}

TEST_CASE("pick: a weighted draw leaves no queue out and follows the weights") {
    Rng rng(2);
    const std::vector<QueueWeight> queues{{"a", 6}, {"b", 3}, {"c", 1}};
    std::map<std::string, int> first;
    int a_before_b = 0;
    constexpr int kDraws = 30'000;
    for (int i = 0; i < kDraws; ++i) {
        const auto order = pick_order(queues, false, rng);
        REQUIRE(std::is_permutation(order.begin(), order.end(),
                                    std::vector<std::string>{"a", "b", "c"}.begin()));
        ++first[order.front()];
        a_before_b +=
            std::find(order.begin(), order.end(), "a") < std::find(order.begin(), order.end(), "b");
    }
    // Three standard deviations are below one per cent.
    CHECK(first["a"] == Approx(kDraws * 0.6).epsilon(0.03));
    CHECK(first["b"] == Approx(kDraws * 0.3).epsilon(0.03));
    CHECK(first["c"] == Approx(kDraws * 0.1).epsilon(0.06));
    CHECK(a_before_b == Approx(kDraws * 2.0 / 3).epsilon(0.03));
}
