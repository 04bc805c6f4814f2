// core/store without a Redis: commands on the wire, key names, retention buckets, the coalescer.
#include <catch2/catch.hpp>
#include <set>

#include "core/base/rng.h"
#include "core/store/coalescer.h"
#include "core/store/keys.h"
#include "core/store/link/redis_link.h"
#include "core/store/link/script.h"
#include "core/store/link/scripts.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

std::string wire(const Command& command) {
    std::string out;
    command.write_to(out);
    return out;
}

using Adder = Coalescer<int, int>;

// Counts calls, answers each item with itself plus one after 10 ms.
struct Server {
    explicit Server(Reactor& r) : reactor(r) {}

    Reactor& reactor;
    std::vector<size_t> batches;

    task<void> send(Adder::Batch batch) {
        batches.push_back(batch.size());
        co_await sleep_for(reactor, 10);
        for (const auto& entry : batch) {
            if (entry.item() == 13)
                entry.answer(fail(ErrorCode::conflict, "unlucky"));
            else
                entry.answer(entry.item() + 1);
        }
    }
};

task<void> asks(Adder& adder, std::vector<int> items, std::vector<std::string>& log) {
    auto answers = co_await adder.ask(std::move(items));
    std::string text;
    for (const auto& answer : answers)
        text += answer ? std::to_string(*answer) + " " : "error ";
    log.push_back(text);
}

}  // namespace

TEST_CASE("a command is an array of bulk strings, whatever bytes they hold") {
    CHECK(wire(Command("PING")) == "*1\r\n$4\r\nPING\r\n");
    Command set("SET", std::string("k\r\n"), std::string_view("\0x", 2));
    CHECK(wire(set) == std::string("*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n\0x\r\n", 30));
    Command numbers("N");
    numbers.add(INT64_MIN).add(0).add(std::string_view());
    CHECK(wire(numbers) == "*4\r\n$1\r\nN\r\n$20\r\n-9223372036854775808\r\n$1\r\n0\r\n$0\r\n\r\n");
    CHECK(numbers.args() == 4);
}

TEST_CASE("the arguments of one command can follow those of another") {
    Command head("EVALSHA", std::string_view("abc"));
    Command args;
    args.add(1).add("two");
    head.add_all(args);
    CHECK(head.args() == 4);
    CHECK(wire(head) == "*4\r\n$7\r\nEVALSHA\r\n$3\r\nabc\r\n$1\r\n1\r\n$3\r\ntwo\r\n");
}

TEST_CASE("all keys of a namespace are under one hash tag") {
    CHECK(Keys().prefix() == "jobq:{main}:");
    CHECK(Keys("a").of("q:mail") == "jobq:{a}:q:mail");
    CHECK(Keys("a").hint_channel() == "jobq:{a}:hint");
}

TEST_CASE("a bucket ends when the retention is over or a little later, never before") {
    Rng rng(1);
    for (int i = 0; i < 5000; ++i) {
        int64_t now = 1'795'305'600'000 + int64_t(rng.below(1'000'000'000));
        int64_t retention = int64_t(rng.below(1ULL << (20 + rng.below(15))));
        int64_t width = retention <= 3'600'000 ? 300 : retention <= 172'800'000 ? 3'600 : 86'400;
        int64_t second = bucket_second(now, retention);
        REQUIRE(second * 1000 >= now + retention);
        REQUIRE(second * 1000 < now + retention + width * 1000);
        REQUIRE(second % width == 0);
    }
}

TEST_CASE("there are few buckets at a time, for any retention") {
    for (int64_t retention : {60'000LL, 3'600'000LL, 86'400'000LL, 30 * 86'400'000LL}) {
        std::set<int64_t> open;
        int64_t end = 1'795'305'600'000 + retention;
        for (int64_t now = 1'795'305'600'000; now <= end; now += 60'000)
            open.insert(bucket_second(now, retention));
        INFO(retention);
        CHECK(open.size() <= 50);
    }
}

TEST_CASE("every script is embedded once with its SHA-1") {
    std::set<std::string_view> names, shas;
    for (const Script& script : all_scripts()) {
        names.insert(script.name);
        shas.insert(script.sha);
        CHECK(script.sha.size() == 40);
        CHECK(script.text.find("--@include") == script.text.npos);
    }
    CHECK(names.size() == all_scripts().size());
    CHECK(shas.size() == all_scripts().size());
    CHECK(scripts::fetch.name == "fetch");
}

TEST_CASE("what is asked in one turn goes out together, and each asker gets its own answers") {
    TestReactor reactor;
    Server server(reactor);
    Adder adder(
        reactor, {100, 1000, 1}, [](const int&) { return size_t(1); },
        [&](Adder::Batch batch) { return server.send(std::move(batch)); });
    std::vector<std::string> log;
    spawn(asks(adder, {1, 13, 3}, log));
    spawn(asks(adder, {}, log));
    spawn(asks(adder, {7}, log));
    reactor.advance(10);
    CHECK(server.batches == std::vector<size_t>{4});
    CHECK(log == std::vector<std::string>{"", "2 error 4 ", "8 "});
}

TEST_CASE("what is asked while calls with much in them are in flight goes out with the next one") {
    TestReactor reactor;
    Server server(reactor);
    Adder adder(
        reactor, {100, 1000, 1}, [](const int&) { return size_t(1); },
        [&](Adder::Batch batch) { return server.send(std::move(batch)); });
    std::vector<std::string> log;
    spawn(asks(adder, std::vector<int>(64, 1), log));
    reactor.advance(1);
    for (int i = 0; i < 9; ++i)
        spawn(asks(adder, {i}, log));
    reactor.advance(8);
    CHECK(server.batches == std::vector<size_t>{64});
    reactor.advance(11);
    CHECK(server.batches == std::vector<size_t>{64, 9});
    CHECK(log.size() == 10);
}

TEST_CASE("few items do not wait for the small calls before them") {
    TestReactor reactor;
    Server server(reactor);
    Adder adder(
        reactor, {100, 1000, 1}, [](const int&) { return size_t(1); },
        [&](Adder::Batch batch) { return server.send(std::move(batch)); });
    std::vector<std::string> log;
    for (int i = 0; i < 20; ++i) {
        spawn(asks(adder, {i}, log));
        reactor.run_until_idle();
    }
    CHECK(server.batches == std::vector<size_t>(16, 1));
    reactor.advance(10);
    CHECK(server.batches.size() == 17);
    CHECK(server.batches.back() == 4);
    reactor.advance(10);
    CHECK(log.size() == 20);
}

TEST_CASE("a call takes no more items and bytes than it may, an item over the limit goes alone") {
    TestReactor reactor;
    Server server(reactor);
    Adder adder(
        reactor, {3, 100, 9}, [](const int& item) { return size_t(item); },
        [&](Adder::Batch batch) { return server.send(std::move(batch)); });
    std::vector<std::string> log;
    spawn(asks(adder, {1, 1, 1, 1, 60, 60, 500, 1}, log));
    reactor.advance(10);
    CHECK(server.batches == std::vector<size_t>{3, 2, 1, 1, 1});
    CHECK(log == std::vector<std::string>{"2 2 2 2 61 61 501 2 "});
}
