// What is kept of a running job's output: its head and its tail, with positions.
#include "daemon/broker/live_output.h"

#include <catch2/catch.hpp>

#include "core/base/limits.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {
namespace {

// All pieces from a position on, each as "<at>:<text>|".
std::string pieces(const LiveOutput& live, int64_t from) {
    std::string all;
    for (auto part = live.next(from); !part.text.empty(); part = live.next(from)) {
        all += std::to_string(part.at) + ":" + part.text + "|";
        from = part.at + int64_t(part.text.size());
    }
    return all;
}

}  // namespace

TEST_CASE("live output is given from any position, and a resend changes nothing") {
    TestReactor reactor;
    LiveOutput live(reactor);
    CHECK(pieces(live, 0).empty());
    live.put(0, "hello ");
    live.put(0, "hello ");
    live.put(3, "lo world");
    CHECK(live.size() == 11);
    CHECK(pieces(live, 0) == "0:hello world|");
    CHECK(pieces(live, 6) == "6:world|");
    CHECK(pieces(live, 11).empty());
    CHECK(pieces(live, 99).empty());
}

TEST_CASE("a piece that was lost leaves a gap at its place") {
    TestReactor reactor;
    LiveOutput live(reactor);
    live.put(5, "later");
    CHECK(pieces(live, 0) == "5:later|");
    live.put(20, "last");
    CHECK(pieces(live, 0) == "20:last|");
    LiveOutput whole(reactor);
    whole.put(0, "head");
    whole.put(9, "tail");
    CHECK(pieces(whole, 0) == "0:head|9:tail|");
    CHECK(pieces(whole, 2) == "2:ad|9:tail|");
}

TEST_CASE("of long output the head and the tail stay") {
    TestReactor reactor;
    LiveOutput live(reactor);
    const std::string block(1 << 20, 'x');
    int64_t at = 0;
    for (int i = 0; i < 8; ++i, at += int64_t(block.size()))
        live.put(at, block);
    live.put(at, "end");
    const auto head = live.next(0);
    CHECK(head.at == 0);
    CHECK(head.text.size() == limits::kOutputHeadBytes);
    const auto tail = live.next(int64_t(head.text.size()));
    CHECK(tail.at + int64_t(tail.text.size()) == at + 3);
    CHECK(tail.text.size() >= limits::kOutputTailBytes);
    CHECK(tail.text.size() <= 2 * limits::kOutputTailBytes);
    CHECK(live.next(at + 3).text.empty());
}

}  // namespace jobq::test
