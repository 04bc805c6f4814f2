// Queues with the real programs: draining and then idling, delays, order, pauses, reloads, child
// pools, and two daemons on one Redis.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "core/base/time.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;
using Words = std::vector<std::string>;

constexpr const char* kThreads = R"(
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 4
)";

// One slot, so that the witness file has the order in which jobs were started.
std::string one_slot(const std::string& queues) {
    return "[pool.one]\nkind = \"exec\"\nslots = 1\nqueues = " + queues + R"toml(
[type.note]
run = ["/bin/sh", "-c", 'printf "%s\n" "$JOBQ_QUEUE $(cat)" >> {dir}/witness']
)toml";
}

Words witness(const LiveDaemon& daemon) {
    Words lines;
    std::istringstream in(read_file(daemon.dir() / "witness"));
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

bool will_witness(const LiveDaemon& daemon, size_t lines) {
    return eventually([&] { return witness(daemon).size() >= lines; }, seconds(40));
}

bool succeed(const LiveDaemon& daemon, int64_t count) {
    return eventually([&] { return daemon.count("succeeded") == count; }, seconds(60));
}

int64_t wall_now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

double cpu_in_2_s(pid_t pid) {
    const double before = cpu_seconds(pid);
    std::this_thread::sleep_for(seconds(2));  // what is measured, not a wait for something
    return cpu_seconds(pid) - before;
}

json status_of(const LiveDaemon& daemon, const std::string& jid) {
    const json status = json::parse(daemon.must({"status", jid, "--json"}));
    return status.is_array() ? status.at(0) : status;
}

}  // namespace

TEST_CASE("20,000 noops drain, and then jobqd idles") {
    LiveDaemon daemon(kThreads, {"--log-level", "warn"});
    std::string input;
    for (int i = 0; i < 20'000; ++i)
        input += "{\"n\":" + std::to_string(i) + "}\n";
    const auto begin = Clock::now();
    daemon.must({"enqueue", "noop", "--jsonl", "-", "-q"}, input);
    REQUIRE(succeed(daemon, 20'000));
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    std::printf("20,000 noops enqueued and drained in %.1f s\n", took);
    CHECK(daemon.count("total") == 20'000);
    CHECK(daemon.count("pending") == 0);
    CHECK(daemon.count("running") == 0);
    CHECK(cpu_in_2_s(daemon.pid()) < 0.1);
}

TEST_CASE("delayed jobs are never early, and on time") {
    LiveDaemon daemon(kThreads, {"--log-level", "warn"});
    const int64_t first = wall_now_ms() + 2'000;
    std::string input;
    Words jids;
    for (int i = 0; i < 200; ++i) {
        const int64_t at = first + (i * 37) % 200 * 10;
        jids.push_back("due-" + std::to_string(at) + "-" + std::to_string(i));
        input += "{\"type\":\"noop\",\"id\":\"" + jids.back() + "\",\"at\":\"" +
                 format_rfc3339(at) + "\"}\n";
    }
    daemon.must({"enqueue", "--jsonl", "-", "-q"}, input);
    REQUIRE(succeed(daemon, 200));
    std::string asked;
    for (const auto& jid : jids)
        asked += jid + "\n";
    std::istringstream lines(daemon.must({"status", "-", "-o", "jsonl"}, asked));
    std::vector<int64_t> late;
    for (std::string line; std::getline(lines, line);) {
        const json job = json::parse(line);
        const int64_t due = std::stoll(job.at("jid").get<std::string>().substr(4));
        late.push_back(parse_rfc3339_ms(job.at("started_at").get<std::string>()).value() - due);
    }
    REQUIRE(late.size() == jids.size());
    std::sort(late.begin(), late.end());
    std::printf("lateness of delayed jobs: p50 %d ms, p99 %d ms\n", int(late[100]), int(late[198]));
    CHECK(late.front() >= 0);
    CHECK(late[100] < 1'000);
}

TEST_CASE("queues in a list are served in its order, priorities first within each") {
    LiveDaemon daemon(one_slot(R"(["critical", "default", "low"])"));
    daemon.must({"queue", "pause", "critical", "default", "low"});
    for (const char* queue : {"low", "default", "critical"})
        for (const char* priority : {"5", "1", "9", "5"})
            daemon.must({"enqueue", "note", "--queue", queue, "--priority", priority, "--payload",
                         priority});
    daemon.must({"queue", "resume", "low", "default", "critical"});
    REQUIRE(will_witness(daemon, 12));
    CHECK(witness(daemon) == Words{"critical 9", "critical 5", "critical 5", "critical 1",
                                   "default 9", "default 5", "default 5", "default 1", "low 9",
                                   "low 5", "low 5", "low 1"});
}

TEST_CASE("jobs of one priority start in the order they were enqueued") {
    LiveDaemon daemon(one_slot(R"(["default"])"));
    daemon.must({"queue", "pause", "default"});
    std::string input;
    Words expected;
    for (int i = 0; i < 20; ++i) {
        input += std::to_string(i) + "\n";
        expected.push_back("default " + std::to_string(i));
    }
    daemon.must({"enqueue", "note", "--jsonl", "-"}, input);
    daemon.must({"queue", "resume", "default"});
    REQUIRE(will_witness(daemon, expected.size()));
    CHECK(witness(daemon) == expected);
}

TEST_CASE("weighted queues get their shares, and none starves") {
    LiveDaemon daemon(one_slot("{ often = 4, seldom = 1 }"));
    daemon.must({"queue", "pause", "often", "seldom"});
    std::string input;
    for (int i = 0; i < 100; ++i)
        input += std::to_string(i) + "\n";
    for (const char* queue : {"often", "seldom"})
        daemon.must({"enqueue", "note", "--queue", queue, "--jsonl", "-"}, input);
    daemon.must({"queue", "resume", "often", "seldom"});
    REQUIRE(will_witness(daemon, 100));
    const Words lines = witness(daemon);
    const auto often = std::count_if(lines.begin(), lines.begin() + 100,
                                     [](const auto& line) { return line.substr(0, 5) == "often"; });
    // 80 of 100 expected, 4 the standard deviation: five of them either way.
    CHECK(often >= 60);
    CHECK(often < 100);
}

TEST_CASE("a paused queue starts nothing until it is resumed, and says so") {
    LiveDaemon daemon(R"(
[pool.threads]
kind = "thread"
queues = ["held", "default"]
slots = 1
)");
    daemon.must({"queue", "pause", "held"});
    const std::string jid = daemon.must({"enqueue", "noop", "--queue", "held", "-q"});
    // Served after "held", so this one shows that "held" was passed over.
    daemon.must({"enqueue", "noop", "--wait"});
    const json waiting = status_of(daemon, jid);
    CHECK(waiting.at("state") == "ready");
    CHECK(contains(waiting.value("note", ""), "paused"));
    CHECK(contains(daemon.must({"queue", "list", "held"}), "paused"));
    daemon.must({"queue", "resume", "held"});
    CHECK(daemon.jobq({"wait", jid, "--timeout", "20s"}).status == 0);
}

TEST_CASE("SIGHUP takes a good configuration and keeps the old one for a bad one") {
    LiveDaemon daemon(one_slot(R"(["default"])"));
    const std::string later = daemon.must({"enqueue", "fresh", "-q"});
    const std::string fresh = one_slot(R"(["default"])") + R"(
[type.fresh]
run = ["/bin/sh", "-c", "echo fresh >> {dir}/witness"]
)";
    daemon.write_config(fresh + "[redis]\ndurabilty = \"fsync\"\n");
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.kept"); }));
    CHECK(contains(daemon.log(), "jobqd.toml:11:1: "));
    CHECK(contains(daemon.log(), "did you mean \"durability\"?"));
    CHECK(eventually([&] { return daemon.states({later}) == Words{"ready"}; }));
    CHECK(daemon.jobq({"enqueue", "note", "--payload", "1", "--wait"}).status == 0);
    CHECK_FALSE(contains(daemon.log(), "config.reloaded"));

    daemon.write_config(fresh);
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); }));
    CHECK(daemon.jobq({"wait", later, "--timeout", "20s"}).status == 0);
    CHECK(witness(daemon) == Words{"default 1", "fresh"});
}

TEST_CASE("a child pool's handler answers many jobs from one process") {
    LiveDaemon daemon(R"(
[pool.words]
kind = "child"
queues = ["words"]
slots = 1
run = [")" + std::string(kSourceDir) +
                      R"(/config/demo/word-count"]
)");
    const Ran counted = daemon.jobq(
        {"enqueue", "word-count", "--queue", "words", "--payload", "\"two words\"", "--wait"});
    INFO(counted.err);
    REQUIRE(counted.status == 0);
    CHECK(json::parse(counted.out) == json({{"lines", 0}, {"words", 2}, {"bytes", 9}}));
    const auto handlers = children_of(daemon.runner_pid());
    const Ran refused =
        daemon.jobq({"enqueue", "word-count", "--queue", "words", "--payload", "7", "--wait"});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, "the payload must be a string"));
    std::string input;
    for (int i = 0; i < 100; ++i)
        input += "\"a b c\"\n";
    daemon.must({"enqueue", "word-count", "--queue", "words", "--jsonl", "-"}, input);
    CHECK(succeed(daemon, 101));
    CHECK(children_of(daemon.runner_pid()) == handlers);
}

TEST_CASE("two daemons on one Redis run each other's jobs, woken at once") {
    RedisServer redis;
    const Words flags{"--redis", "unix:" + redis.socket_path()};
    const std::string pool = "[pool.threads]\nkind = \"thread\"\nslots = 2\nqueues = ";
    LiveDaemon left(pool + "[\"left\"]\n", flags), right(pool + "[\"right\"]\n", flags);
    for (int i = 0; i < 5; ++i) {
        const std::string text = "\"round " + std::to_string(i) + "\"";
        const Ran there =
            left.jobq({"enqueue", "echo", "--queue", "right", "--payload", text, "-q"});
        REQUIRE(there.status == 0);
        const std::string jid = there.out.substr(0, there.out.find('\n'));
        // Without the hint it would be the slow look, every 30 s.
        const auto done = [&] { return right.states({jid}) == Words{"succeeded"}; };
        const auto begin = Clock::now();
        CHECK(eventually(done, seconds(10)));
        CHECK(std::chrono::duration<double>(Clock::now() - begin).count() < 2);
        CHECK(left.must({"result", jid}) == text);
        CHECK(right.jobq({"enqueue", "echo", "--queue", "left", "--payload", text, "-q"}).status ==
              0);
    }
    CHECK(succeed(right, 10));
    CHECK(succeed(left, 10));
}

}  // namespace jobq::test
