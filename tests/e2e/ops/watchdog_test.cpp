// A job that is ready while a worker waits, and nobody told the worker: it is noticed, said and
// run. The wake-up is lost by storing the job behind jobqd's back. And what only looks like it is
// no alarm.
#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/store/redis/redis_store.h"
#include "tests/support/builders.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kConfig = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default", "slow", "off"]
slots = 8
[queue.slow]
concurrency = 1
)";

// Stored, and nothing published.
void push_unseen(const RedisServer& redis, const std::string& jid) {
    TestReactor reactor;
    SyncLink link(redis.socket_path());
    RedisStore store(reactor, link, Keys(), {});
    Job job = a_job("noop", jid);
    job.created_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    std::vector<Job> jobs{job};
    auto stored = run_task(reactor, store.enqueue(std::move(jobs)));
    REQUIRE(stored);
    REQUIRE((*stored)[0]);
}

int64_t woken(const LiveDaemon& daemon) {
    return json::parse(daemon.must({"stats", "--json"})).at("watchdog_woke");
}

}  // namespace

TEST_CASE("a wake-up that was lost is made up for within seconds, and said") {
    RedisServer redis;
    LiveDaemon daemon(kConfig, {"--log-level", "info", "--redis", "unix:" + redis.socket_path()});
    daemon.must({"enqueue", "noop", "--wait"});
    push_unseen(redis, "unseen-job-1");
    CHECK(daemon.count("ready") == 1);  // which is a look that finds one
    const auto done = [&] { return daemon.states({"unseen-job-1"})[0] == "succeeded"; };
    CHECK(eventually(done, seconds(15)));
    CHECK(eventually([&] { return woken(daemon) == 1; }));  // said once it is known to have helped
    CHECK(contains(daemon.log(),
                   "watchdog.woke: the watchdog woke a worker that waited beside ready jobs"));
    CHECK(contains(daemon.must({"stats"}), "watchdog    woke workers 1 times"));
}

TEST_CASE("paused, throttled, unknown and waiting jobs do not alarm the watchdog") {
    LiveDaemon daemon(kConfig, {"--log-level", "info"});
    daemon.must({"queue", "pause", "off"});
    daemon.must({"enqueue", "noop", "--queue", "off"});
    daemon.must({"enqueue", "a-type-nobody-runs"});
    for (int i = 0; i < 3; ++i)
        daemon.must({"enqueue", "sleep", "--queue", "slow", "--payload", "3"});
    daemon.must({"enqueue", "noop", "--in", "30s"});
    const auto slept = [&] { return daemon.count("succeeded") == 3; };  // and looked all the time
    CHECK(eventually(slept, seconds(30)));
    CHECK(woken(daemon) == 0);
    CHECK_FALSE(contains(daemon.log(), "watchdog"));
}

}  // namespace jobq::test
