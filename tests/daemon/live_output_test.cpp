// What is kept of a running job's output, who follows it, and how much of it may come.
#include "daemon/broker/live_output.h"

#include <catch2/catch.hpp>

#include "core/base/limits.h"
#include "core/protocol/runner_messages.h"
#include "daemon/broker/followers.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {
namespace {

constexpr auto kOut = OutputStream::out, kErr = OutputStream::err;
constexpr int64_t kAll = limits::kOutputFollowedBytes;
constexpr int64_t kWindow = limits::kOutputWindowBytes;

// All pieces from a place on, each as "<stream><offset>:<text>|".
std::string pieces(const LiveOutput& live, int64_t place = 0) {
    std::string all;
    while (auto piece = live.next(place))
        all += (piece->stream == kOut ? "o" : "e") + std::to_string(piece->offset) + ":" +
               piece->bytes + "|";
    return all;
}

}  // namespace

TEST_CASE("live output comes in the order in which it came, and a resend changes nothing") {
    TestReactor reactor;
    LiveOutput live(reactor);
    CHECK(pieces(live).empty());
    live.put({kOut, 0, 1'000, "hello "}, kAll);
    live.put({kErr, 0, 1'100, "oops"}, kAll);
    live.put({kOut, 0, 1'000, "hello "}, kAll);
    live.put({kOut, 3, 1'200, "lo world"}, kAll);
    CHECK(live.size(kOut) == 11);
    CHECK(pieces(live) == "o0:hello |e0:oops|o6:world|");
    int64_t place = 0;
    CHECK(live.next(place)->bytes == "hello ");
    CHECK(pieces(live, place) == "e0:oops|o6:world|");
}

TEST_CASE("pieces of one moment are joined, also behind one who has read the first of them") {
    TestReactor reactor;
    LiveOutput live(reactor);
    live.put({kOut, 0, 1'000, "a"}, kAll);
    int64_t place = 0;
    REQUIRE(live.next(place)->bytes == "a");
    CHECK_FALSE(live.next(place));
    CHECK(live.unread(place) == 0);
    live.put({kOut, 1, 1'005, "b"}, kAll);
    CHECK(pieces(live) == "o0:ab|");
    CHECK(live.unread(place) > 0);
    CHECK(live.next(place)->bytes == "b");
    CHECK_FALSE(live.next(place));
}

TEST_CASE("a piece that was lost leaves a gap at its place") {
    TestReactor reactor;
    LiveOutput live(reactor);
    live.put({kErr, 5, 1'000, "later"}, kAll);
    live.put({kErr, 20, 2'000, "last"}, kAll);
    live.put({kErr, -1, 2'000, "bad"}, kAll);
    live.put({kErr, INT64_MAX, 2'000, "bad"}, kAll);
    CHECK(pieces(live) == "e5:later|e20:last|");
}

TEST_CASE("of long output the head and the tail stay, or more while somebody follows") {
    TestReactor reactor;
    for (int64_t keep : {int64_t(64 << 10), kAll}) {
        LiveOutput live(reactor);
        const std::string block(32 << 10, 'x');
        int64_t at = 0;
        for (int i = 0; i < 256; ++i, at += int64_t(block.size()))
            live.put({kOut, at, 100 * i, block}, keep);
        int64_t place = 0, bytes = 0;
        CHECK(live.next(place)->offset == 0);
        place = 0;
        while (auto piece = live.next(place)) {
            bytes += int64_t(piece->bytes.size());
            if (piece->end() == at) CHECK(bytes > keep / 2);
        }
        CHECK(bytes <= keep + (96 << 10));
    }
}

TEST_CASE("tiny pieces take no more memory than long ones") {
    TestReactor reactor;
    LiveOutput live(reactor);
    for (int i = 0; i < 200'000; ++i)
        live.put({i % 2 == 0 ? kOut : kErr, i / 2, 100 * i, "x"}, kAll);
    int64_t place = 0, count = 0;
    while (live.next(place))
        ++count;
    CHECK(count < 20'000);
}

TEST_CASE("a job has room while its followers keep up, and as much as it wants without any") {
    TestReactor reactor;
    Followers followers(reactor);
    auto live = std::make_shared<LiveOutput>(reactor);
    CHECK(followers.room("j", live.get()) == OutputRoom::kNobody);
    CHECK(followers.keeps("j") < kWindow);
    Follower quick(followers, "j");
    CHECK(followers.room("j", nullptr) == kWindow);
    CHECK(followers.keeps("j") == kAll);
    auto slow = std::make_unique<Follower>(followers, "j");
    const std::string block(64 << 10, 'x');
    for (int i = 0; i < 4; ++i)
        live->put({kOut, i * int64_t(block.size()), 100 * i, block}, followers.keeps("j"));
    CHECK(followers.room("j", live.get()) == 0);
    while (quick.next(live)) {
    }
    CHECK(followers.room("j", live.get()) == 0);
    CHECK(slow->next(live)->bytes == block);
    CHECK(followers.room("j", live.get()) > 0);
    CHECK(followers.room("other", nullptr) == OutputRoom::kNobody);
    slow.reset();
    CHECK(followers.room("j", live.get()) == kWindow);
}

TEST_CASE("a follower that takes nothing is passed by, until it takes something again") {
    TestReactor reactor;
    Followers followers(reactor);
    auto live = std::make_shared<LiveOutput>(reactor);
    Follower follower(followers, "j");
    const auto room = [&] { return followers.room("j", live.get()); };
    // One that waits for more is none that takes nothing.
    CHECK_FALSE(follower.next(live));
    reactor.advance(2 * limits::kOutputHoldMs);
    live->put({kOut, 0, 0, std::string(64 << 10, 'x')}, kAll);
    live->put({kOut, 64 << 10, 1'000, std::string(64 << 10, 'x')}, kAll);
    CHECK(room() > 0);
    reactor.advance(limits::kOutputHoldMs - 1);
    CHECK(room() > 0);
    reactor.advance(1);
    CHECK(room() == OutputRoom::kNobody);
    REQUIRE(follower.next(live));
    CHECK(room() > 0);
}

TEST_CASE("for one who said that he will follow the output waits, but not for ever") {
    TestReactor reactor;
    Followers followers(reactor);
    LiveOutput live(reactor);
    followers.expect("j");
    live.put({kOut, 0, 0, std::string(1'000, 'x')}, kAll);
    CHECK(followers.room("j", &live) < kWindow);
    CHECK(followers.room("j", &live) > 0);
    reactor.advance(limits::kOutputExpectMs);
    CHECK(followers.room("j", &live) == OutputRoom::kNobody);
    for (int i = 0; i < 5'000; ++i)
        followers.expect("job " + std::to_string(i));
    CHECK(followers.size() == 5'000);
    reactor.advance(limits::kOutputExpectMs + 1'000);
    followers.expect("j");
    CHECK(followers.size() == 1);
}

TEST_CASE("a follower that goes takes nobody else's announcement along") {
    TestReactor reactor;
    Followers followers(reactor);
    {
        Follower one(followers, "j");
        followers.expect("j");
    }
    CHECK(followers.size() == 1);
    reactor.advance(limits::kOutputExpectMs + 1);
    { Follower one(followers, "j"); }
    CHECK(followers.size() == 0);
}

}  // namespace jobq::test
