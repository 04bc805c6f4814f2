// A Redis that hangs: stopped, asleep in a command, or busy with a script. Every wait ends, what is
// not known is said to be unknown, what was refused was not done, and afterwards all goes on
// without a restart.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/text.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using std::chrono::seconds;

constexpr const char* kConfig = R"(
stop_timeout = "2s"
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 4
)";

constexpr int kUnavailable = 69, kTryAgain = 75;

struct Hung {
    explicit Hung(std::vector<std::string> extra = {})
        : redis({true, std::move(extra)}),
          daemon(kConfig, {"--log-level", "info", "--redis", "unix:" + redis.socket_path()}) {
        daemon.must({"enqueue", "noop", "--wait"});
    }

    // Ids and their exit statuses, one after the other, until the time is over.
    void enqueue_until(std::chrono::steady_clock::time_point until) {
        while (std::chrono::steady_clock::now() < until) {
            const std::string id = "hung-job-" + std::to_string(++asked);
            const Ran ran = daemon.jobq({"enqueue", "noop", "--id", id});
            slowest = std::max(slowest, ran.seconds);
            if (ran.status == 0) acknowledged.push_back(id);
            if (ran.status == kTryAgain) ++unknown;
            if (ran.status == kUnavailable) refused.push_back(id);
            CHECK((ran.status == 0 || ran.status == kTryAgain || ran.status == kUnavailable));
        }
    }

    // Everything acknowledged ends, and nothing that was refused ever starts.
    void check_all_well() {
        const auto taken = [&] { return daemon.jobq({"enqueue", "noop"}).status == 0; };
        CHECK(eventually(taken, seconds(15)));
        CHECK(eventually([&] { return daemon.unfinished() == 0; }, seconds(20)));
        for (const auto& state : daemon.states(acknowledged))
            CHECK(state == "succeeded");
        for (const auto& id : refused)
            CHECK(daemon.jobq({"status", id}).status == 3);
        CHECK(daemon.count("dead") == 0);
    }

    RedisServer redis;
    LiveDaemon daemon;
    int asked = 0, unknown = 0;
    double slowest = 0;
    std::vector<std::string> acknowledged, refused;
};

std::chrono::steady_clock::time_point in(seconds time) {
    return std::chrono::steady_clock::now() + time;
}

}  // namespace

TEST_CASE("a Redis that stops for three seconds delays jobs and nothing else") {
    Hung hung;
    hung.redis.signal(SIGSTOP);
    std::thread later([&] {
        std::this_thread::sleep_until(in(seconds(3)));
        hung.redis.signal(SIGCONT);
    });
    hung.enqueue_until(in(seconds(2)));
    later.join();
    CHECK(hung.refused.empty());
    CHECK(hung.unknown == 0);
    hung.check_all_well();
}

TEST_CASE("a Redis that stops for long: unknown, then unavailable, never silence") {
    Hung hung;
    hung.redis.signal(SIGSTOP);
    const char* longer = std::getenv("JOBQ_HUNG_SECONDS");
    hung.enqueue_until(in(seconds(longer ? std::atoi(longer) : 14)));
    CHECK(hung.acknowledged.empty());
    CHECK(hung.unknown >= 1);
    CHECK(hung.refused.size() >= 1);
    CHECK(hung.slowest < 20);  // an answer, not the end of the command's own patience
    const Ran ping = hung.daemon.jobq({"ping"});
    CHECK(ping.status == kTryAgain);
    CHECK(contains(ping.out, "store_down"));
    CHECK(ping.seconds < 5);  // it does not wait for Redis
    CHECK(hung.daemon.jobq({"stats"}).status == kUnavailable);
    hung.redis.signal(SIGCONT);
    hung.check_all_well();
}

TEST_CASE("a Faktory client is not told that jobs are refused which may be stored") {
    Hung hung;
    Wire one(hung.daemon.socket()), many(hung.daemon.socket()), knows(hung.daemon.socket());
    for (auto* wire : {&one, &many, &knows}) {
        REQUIRE(wire->reply() == R"(+HI {"v":2})");
        REQUIRE(wire->ask(wire == &knows ? R"(HELLO {"v":2,"jobq":1})" : R"(HELLO {"v":2})") ==
                ok());
    }
    const auto job = [](const char* jid) {
        return std::string(R"({"jid":")") + jid + R"(","jobtype":"noop","args":[]})";
    };
    hung.redis.signal(SIGSTOP);
    CHECK(one.send("PUSH " + job("unsure-1") + "\r\nPUSH " + job("unsure-2") + "\r\n"));
    CHECK(many.send("PUSHB [" + job("unsure-3") + "," + job("unsure-4") + "]\r\n"));
    CHECK(knows.send("PUSH " + job("unsure-5") + "\r\n"));
    CHECK(one.reply() == "(closed)");
    CHECK(many.reply() == "(closed)");
    CHECK(contains(knows.reply(), "-UNKNOWN "));
    hung.redis.signal(SIGCONT);
    hung.check_all_well();
    // It was stored, and what the client does now is right.
    CHECK(hung.daemon.states({"unsure-1", "unsure-4"}) ==
          std::vector<std::string>{"succeeded", "succeeded"});
}

TEST_CASE("a Redis asleep in a command is one that stops") {
    Hung hung({"--enable-debug-command", "yes"});
    const std::string sleep =
        "redis-cli -s " + hung.redis.socket_path() + " debug sleep 8 > /dev/null";
    std::thread sleeper([&] { CHECK(std::system(sleep.c_str()) == 0); });
    hung.enqueue_until(in(seconds(7)));
    sleeper.join();
    CHECK(hung.slowest < 20);  // an answer, not the end of the command's own patience
    hung.check_all_well();
}

TEST_CASE("a Redis busy with a script refuses in words, and nothing of it is done later") {
    Hung hung({"--busy-reply-threshold", "200"});
    const std::string cli = "redis-cli -s " + hung.redis.socket_path();
    const std::string busy = cli + " eval 'while true do end' 0 > /dev/null 2>&1";
    std::thread script([&] { CHECK(std::system(busy.c_str()) >= 0); });
    const auto is_refused = [&] {
        const Ran ran = hung.daemon.jobq({"enqueue", "noop"});
        return ran.status == kUnavailable && contains(ran.err, "BUSY");
    };
    CHECK(eventually(is_refused));
    hung.enqueue_until(in(seconds(2)));
    CHECK_FALSE(hung.refused.empty());
    CHECK(hung.unknown == 0);
    CHECK(std::system((cli + " script kill > /dev/null").c_str()) == 0);
    script.join();
    hung.check_all_well();
}

TEST_CASE("jobqd ends in time beside a Redis that hangs, its own or another's") {
    Hung hung;
    hung.redis.signal(SIGSTOP);
    const auto began = std::chrono::steady_clock::now();
    CHECK(hung.daemon.stop() == 0);
    CHECK(std::chrono::steady_clock::now() - began < seconds(20));
    hung.redis.signal(SIGCONT);

    LiveDaemon own(kConfig);
    own.must({"enqueue", "noop", "--wait"});
    const pid_t redis = own.redis_pid();
    ::kill(redis, SIGSTOP);
    CHECK(own.stop() == 0);
    CHECK(eventually([&] { return !is_alive(redis); }));
}

}  // namespace jobq::test
