// The Redis link against a real Redis and against one that misbehaves: what is told of each call is
// true (done, unavailable: never sent, unknown: sent), order is kept, and it always comes back.
#include "daemon/redis/link.h"

#include <signal.h>

#include <catch2/catch.hpp>

#include "daemon/redis/hints.h"
#include "tests/daemon/fake_redis.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/redis_server.h"

using namespace jobq;
using namespace jobq::test;

namespace {

UvRedisLink::Settings settings_for(const std::string& url) {
    UvRedisLink::Settings settings;
    settings.address = *parse_redis_url(url);
    return settings;
}

// A started link that is stopped at the end of the test, in the loop.
struct Linked {
    Linked(UvReactor& loop, UvRedisLink::Settings settings)
        : reactor(loop), link(loop, std::move(settings)) {
        link.start();
    }

    ~Linked() { on_loop(reactor, link.stop()); }

    Result<Reply> call(Command command) { return on_loop(reactor, link.call(std::move(command))); }

    Result<> ready(int64_t limit_ms = 5'000) { return on_loop(reactor, link.wait_ready(limit_ms)); }

    UvReactor& reactor;
    UvRedisLink link;
};

task<void> collect(UvRedisLink& link, Command command, std::vector<Result<Reply>>& replies) {
    auto reply = co_await link.call(std::move(command));
    replies.push_back(std::move(reply));
}

bool is_code(const Result<Reply>& reply, ErrorCode code) {
    return !reply && reply.error().code == code;
}

}  // namespace

TEST_CASE("commands get their replies, of every kind") {
    UvReactor reactor;
    RedisServer redis;
    Linked linked(reactor, settings_for("unix:" + redis.socket_path()));
    REQUIRE(linked.ready());
    CHECK(linked.call(Command("SET", std::string_view("k"), std::string_view("v")))->kind ==
          Reply::Kind::status);
    CHECK(linked.call(Command("GET", std::string_view("k")))->text == "v");
    CHECK(linked.call(Command("GET", std::string_view("none")))->is_nil());
    CHECK(linked.call(Command("INCR", std::string_view("n")))->integer == 1);
    CHECK(linked.call(Command("NONSENSE"))->is_error());
    auto nested =
        linked.call(Command("EVAL", std::string_view("return {1,{2,{'three',false}},{}}"), 0));
    REQUIRE(nested);
    REQUIRE(nested->items.size() == 3);
    CHECK(nested->items[1].items[1].items[0].text == "three");
    CHECK(nested->items[1].items[1].items.size() == 2);
    CHECK(nested->items[2].kind == Reply::Kind::array);
    std::string big(3'000'000, 'x');
    big[17] = '\0';
    linked.call(Command("SET", std::string_view("big"), big));
    CHECK(linked.call(Command("GET", std::string_view("big")))->text == big);
    CHECK(linked.call(Command("CLIENT", std::string_view("GETNAME")))->text == "jobqd");
    CHECK(linked.link.figures().in_flight == 0);
    CHECK(linked.link.figures().round_trips.longest_us > 0);
}

TEST_CASE("a hundred thousand pipelined calls are answered in their order") {
    UvReactor reactor;
    RedisServer redis;
    Linked linked(reactor, settings_for("unix:" + redis.socket_path()));
    REQUIRE(linked.ready());
    std::vector<Result<Reply>> replies;
    constexpr size_t kCalls = 100'000;
    replies.reserve(kCalls);
    for (size_t n = 0; n < kCalls; ++n)
        spawn(collect(linked.link, Command("INCR", std::string_view("n")), replies));
    CHECK(on_loop(reactor, until(
                               reactor, [&] { return replies.size() == kCalls; }, 25'000)));
    size_t in_order = 0;
    for (size_t n = 0; n < replies.size(); ++n)
        if (replies[n] && replies[n]->integer == int64_t(n + 1)) ++in_order;
    CHECK(in_order == kCalls);
}

TEST_CASE("calls made before the connection stands are sent in order once it does") {
    UvReactor reactor;
    RedisServer redis;
    Linked linked(reactor, settings_for("unix:" + redis.socket_path()));
    std::vector<Result<Reply>> replies;
    for (int n = 0; n < 100; ++n)
        spawn(collect(linked.link, Command("INCR", std::string_view("n")), replies));
    CHECK(linked.link.figures().waiting == 100);
    CHECK(on_loop(reactor, until(reactor, [&] { return replies.size() == 100; })));
    CHECK(replies[99]->integer == 100);
}

TEST_CASE("without Redis a call waits for its limit, then is unavailable, and was never sent") {
    UvReactor reactor;
    TempDir dir;
    auto settings = settings_for("unix:" + (dir / "none.sock"));
    settings.ready_wait_ms = 60;
    Linked linked(reactor, settings);
    int told = 0;
    linked.link.on_state([&](LinkState, const Error&) { ++told; });
    int64_t before = reactor.now_ms();
    auto reply = linked.call(Command("PING"));
    CHECK(is_code(reply, ErrorCode::unavailable));
    CHECK(told <= 1);  // though it has tried again and again, each try two changes of state
    CHECK_THAT(reply.error().text, Catch::Contains("none.sock"));
    CHECK(reactor.now_ms() - before >= 60);
    CHECK(reactor.now_ms() - before < 2'000);
}

TEST_CASE("the room for waiting calls is bounded by number and by bytes") {
    UvReactor reactor;
    TempDir dir;
    auto settings = settings_for("unix:" + (dir / "none.sock"));
    settings.ready_wait_ms = 200;
    settings.waiting_calls = 3;
    settings.waiting_bytes = 1'000;
    Linked linked(reactor, settings);
    std::vector<Result<Reply>> replies;
    spawn(collect(linked.link, Command("PING", std::string(2'000, 'x')), replies));
    CHECK(replies.size() == 1);
    for (int n = 0; n < 5; ++n)
        spawn(collect(linked.link, Command("PING"), replies));
    CHECK(replies.size() == 3);
    CHECK(on_loop(reactor, until(reactor, [&] { return replies.size() == 6; })));
    for (auto& reply : replies)
        CHECK(is_code(reply, ErrorCode::unavailable));
}

TEST_CASE("a Redis that comes late is found at once") {
    UvReactor reactor;
    RedisServer redis;
    redis.stop();
    Linked linked(reactor, settings_for("unix:" + redis.socket_path()));
    auto down = [&] { return linked.link.state() == LinkState::down; };
    REQUIRE(on_loop(reactor, until(reactor, down)));
    redis.start();
    CHECK(linked.ready(1'000));
}

TEST_CASE("when Redis closes, what was sent is unknown, and the next call works") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    {
        Linked linked(reactor, settings_for(redis.url()));
        REQUIRE(linked.ready());
        bool cut = true;
        redis.on_command = [&](FakeRedis::Client& client, const Words& words) -> std::string {
            if (words[0] == "HALF" && cut) {
                client.stream->write("$10\r\nhalf a");
                client.stream->close_after_write();
                return "";
            }
            return "default";
        };
        std::vector<Result<Reply>> replies;
        spawn(collect(linked.link, Command("BEFORE"), replies));
        spawn(collect(linked.link, Command("HALF"), replies));
        spawn(collect(linked.link, Command("AFTER"), replies));
        REQUIRE(on_loop(reactor, until(reactor, [&] { return replies.size() == 3; })));
        CHECK(replies[0]);
        CHECK(is_code(replies[1], ErrorCode::unknown));
        CHECK(is_code(replies[2], ErrorCode::unknown));
        cut = false;
        CHECK(linked.call(Command("NEXT")));
        CHECK(linked.link.figures().unknown == 2);
        // Nothing is ever sent a second time.
        int halves = 0;
        for (auto& words : redis.seen())
            halves += words[0] == "HALF";
        CHECK(halves == 1);
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("a Redis that does not answer is given up at the deadline of the oldest call") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    {
        auto settings = settings_for(redis.url());
        settings.deadline_ms = 150;
        Linked linked(reactor, settings);
        REQUIRE(linked.ready());
        bool mute = true;
        bool trickle = GENERATE(false, true);
        redis.on_command = [&](FakeRedis::Client& client, const Words& words) -> std::string {
            if (!mute || (words[0] != "MUTE" && words[0] != "LATER")) return "default";
            // Bytes that come but never make a reply must not count as life.
            if (trickle && words[0] == "MUTE") client.stream->write("$100\r\nabc");
            return "";
        };
        int64_t before = reactor.now_ms();
        std::vector<Result<Reply>> replies;
        spawn(collect(linked.link, Command("MUTE"), replies));
        spawn(collect(linked.link, Command("LATER"), replies));
        REQUIRE(on_loop(reactor, until(reactor, [&] { return replies.size() == 2; })));
        CHECK(reactor.now_ms() - before >= 150);
        CHECK(reactor.now_ms() - before < 1'500);
        REQUIRE(is_code(replies[0], ErrorCode::unknown));
        CHECK(is_code(replies[1], ErrorCode::unknown));
        CHECK_THAT(replies[0].error().text, Catch::Contains("150 ms"));
        mute = false;
        CHECK(linked.call(Command("NEXT")));
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("what is not the Redis protocol ends the connection, not the daemon") {
    std::string garbage = GENERATE(
        "HTTP/1.1 400 Bad Request\r\n\r\n", "*2147483647\r\n:1\r\n", "$-5\r\n", ":12x\r\n",
        "%1\r\n+a\r\n+b\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        "+OK\r\n+OK\r\n");
    UvReactor reactor;
    FakeRedis redis(reactor);
    {
        auto settings = settings_for(redis.url());
        settings.deadline_ms = 200;
        Linked linked(reactor, settings);
        REQUIRE(linked.ready());
        redis.on_command = [&](FakeRedis::Client&, const Words& words) -> std::string {
            return words[0] == "BAD" ? garbage : "default";
        };
        auto reply = linked.call(Command("BAD"));
        // One reply too many is seen only after the first was taken.
        if (!reply) CHECK(reply.error().code == ErrorCode::unknown);
        auto again = [&] { return redis.connects() >= 2; };
        CHECK(on_loop(reactor, until(reactor, again)));
        CHECK(linked.call(Command("NEXT")));
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("LOADING is waited out, and seen as a state") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    {
        int pings = 0;
        redis.on_command = [&](FakeRedis::Client&, const Words& words) -> std::string {
            if (words[0] == "PING" && ++pings <= 5)
                return "-LOADING Redis is loading the dataset in memory\r\n";
            return "default";
        };
        Linked linked(reactor, settings_for(redis.url()));
        std::vector<LinkState> states;
        linked.link.on_state([&](LinkState state, const Error&) { states.push_back(state); });
        CHECK(linked.call(Command("AFTER")));
        REQUIRE(states.size() >= 2);
        CHECK(states[states.size() - 2] == LinkState::loading);
        CHECK(states.back() == LinkState::ready);
        CHECK(redis.connects() == 1);
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("a Redis that gets on with loading is waited for, one that does not is not") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    for (bool gets_on : {true, false}) {
        INFO((gets_on ? "gets on" : "stands still"));
        int pings = 0, looks = 0;
        redis.on_command = [&](FakeRedis::Client&, const Words& words) -> std::string {
            if (words[0] == "PING" && (++pings <= 30 || !gets_on))
                return "-LOADING Redis is loading the dataset in memory\r\n";
            if (words[0] == "INFO" && words[1] == "persistence")
                return bulk(
                    "loading:1\r\nloading_total_bytes:1048576000\r\n"
                    "loading_loaded_bytes:" +
                    std::to_string(1'048'576 * (gets_on ? ++looks * 100 : 5)) +
                    "\r\nloading_eta_seconds:7\r\n");
            return "default";
        };
        Linked linked(reactor, settings_for(redis.url()));
        std::vector<std::string> told;
        linked.link.on_state([&](LinkState state, const Error& trouble) {
            if (state == LinkState::loading) told.push_back(trouble.text);
        });
        // Shorter than it takes: thirty looks, a tenth of a second apart.
        auto ready = on_loop(reactor, linked.link.wait_ready(800));
        CHECK(ready.has_value() == gets_on);
        REQUIRE_FALSE(told.empty());
        if (gets_on) {
            CHECK(told.size() > 2);
            CHECK_THAT(told[0], Catch::EndsWith(": 10 % of 1000 MiB, about 7 s left"));
        } else {
            CHECK(told.size() == 1);
            CHECK_THAT(ready.error().text, Catch::EndsWith(": 0 % of 1000 MiB, about 7 s left"));
        }
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("a Redis that jobq can't use is a configuration error, told at once") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    std::string info, expected, refusal;
    SECTION("too old") {
        info = "redis_version:6.2.7\r\n";
        expected = "runs Redis 6.2.7";
    }
    SECTION("no Redis") {
        info = "version:12\r\n";
        expected = "does not answer like a Redis";
    }
    SECTION("a login is needed") {
        refusal = "-NOAUTH Authentication required.\r\n";
        expected = "NOAUTH";
    }
    SECTION("protected mode, and it hangs up") {
        refusal = "-DENIED Redis is running in protected mode\r\n";
        expected = "DENIED";
    }
    redis.on_command = [&](FakeRedis::Client& client, const Words& words) -> std::string {
        if (words[0] == "INFO" && !info.empty()) return bulk(info);
        if (refusal.empty()) return "default";
        client.stream->write(refusal);
        client.stream->close_after_write();
        return "";
    };
    {
        Linked linked(reactor, settings_for(redis.url()));
        auto ready = linked.ready(5'000);
        REQUIRE_FALSE(ready);
        CHECK(ready.error().code == ErrorCode::config);
        CHECK_THAT(ready.error().text, Catch::Contains(expected));
        // Calls are not held back for what will not come.
        int64_t before = reactor.now_ms();
        auto reply = linked.call(Command("PING"));
        CHECK(is_code(reply, ErrorCode::unavailable));
        CHECK(reactor.now_ms() - before < 500);
    }
    on_loop(reactor, redis.stop());
}

TEST_CASE("user, password and database are used, a wrong password is told without it") {
    UvReactor reactor;
    RedisServer redis;
    {
        Linked admin(reactor, settings_for("unix:" + redis.socket_path()));
        REQUIRE(admin.ready());
        Command acl("ACL", std::string_view("SETUSER"), std::string_view("ann"));
        for (std::string_view word : {"on", ">s3/cr@t", "~*", "&*", "+@all"})
            acl.add(word);
        REQUIRE(admin.call(std::move(acl))->text == "OK");
    }
    std::string path = redis.socket_path();
    {
        Linked ann(reactor, settings_for("unix://ann:s3%2Fcr%40t@" + path + "?db=3"));
        REQUIRE(ann.ready());
        CHECK(ann.call(Command("ACL", std::string_view("WHOAMI")))->text == "ann");
        auto list = ann.call(Command("CLIENT", std::string_view("LIST")));
        CHECK_THAT(list->text, Catch::Contains("db=3"));
    }
    Linked wrong(reactor, settings_for("unix://ann:wr0ng@" + path));
    auto ready = wrong.ready();
    REQUIRE_FALSE(ready);
    CHECK(ready.error().code == ErrorCode::config);
    CHECK_THAT(ready.error().text, !Catch::Contains("wr0ng"));
}

TEST_CASE("stop ends what is in flight and what waits") {
    UvReactor reactor;
    FakeRedis redis(reactor);
    std::vector<Result<Reply>> replies;
    {
        redis.on_command = [](FakeRedis::Client&, const Words& words) -> std::string {
            return words[0] == "MUTE" ? "" : "default";
        };
        Linked linked(reactor, settings_for(redis.url()));
        REQUIRE(linked.ready());
        spawn(collect(linked.link, Command("MUTE"), replies));
        REQUIRE(on_loop(reactor, until(reactor, [&] { return redis.seen().size() == 1; })));
    }
    REQUIRE(replies.size() == 1);
    CHECK(is_code(replies[0], ErrorCode::unknown));
    on_loop(reactor, redis.stop());
}

TEST_CASE("a Redis that was stopped for a while goes on where it was") {
    UvReactor reactor;
    RedisServer redis;
    Linked linked(reactor, settings_for("unix:" + redis.socket_path()));
    REQUIRE(linked.ready());
    redis.signal(SIGSTOP);
    reactor.after(700, [&] { redis.signal(SIGCONT); });
    std::vector<Result<Reply>> replies;
    for (int n = 0; n < 50; ++n)
        spawn(collect(linked.link, Command("INCR", std::string_view("n")), replies));
    CHECK(on_loop(reactor, until(reactor, [&] { return replies.size() == 50; })));
    CHECK(replies[49]->integer == 50);
    CHECK(linked.link.figures().connects == 1);
}

TEST_CASE("hints are heard, also after Redis was away") {
    UvReactor reactor;
    RedisServer redis;
    std::string url = "unix:" + redis.socket_path();
    std::vector<std::string> heard;
    int ups = 0;
    HintListener hints(
        reactor, *parse_redis_url(url), "jobq:{main}:hint",
        [&](std::string text) { heard.push_back(std::move(text)); }, [&] { ++ups; });
    hints.start();
    REQUIRE(on_loop(reactor, until(reactor, [&] { return hints.listening(); })));
    {
        Linked linked(reactor, settings_for(url));
        Command publish("PUBLISH", std::string_view("jobq:{main}:hint"), std::string_view("one"));
        CHECK(linked.call(publish)->integer == 1);
        CHECK(on_loop(reactor, until(reactor, [&] { return heard == Words{"one"}; })));
        redis.kill();
        REQUIRE(on_loop(reactor, until(reactor, [&] { return !hints.listening(); })));
        redis.start();
        REQUIRE(on_loop(reactor, until(reactor, [&] { return hints.listening(); })));
        CHECK(ups == 2);
        linked.call(publish);
        CHECK(on_loop(reactor, until(reactor, [&] { return heard.size() == 2; })));
    }
    on_loop(reactor, hints.stop());
}
