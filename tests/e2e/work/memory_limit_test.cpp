// Redis at its memory limit, a private one and an external one: new jobs are refused in so many
// words, what is there is run to the end, and then jobs are taken again.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 4
[type.fail]
backoff = { base = "50ms", factor = 1, max = "50ms", jitter = 0.0 }
)";

// Of 10 KB each; how many were taken.
int64_t push_until_full(const LiveDaemon& daemon) {
    std::string input;
    for (int i = 0; i < 2'800; ++i)
        input += R"({"type":"noop","payload":")" + std::string(10'000, 'm') + "\"}\n";
    const Ran ran = daemon.jobq({"enqueue", "--jsonl", "-", "-q"}, input);
    int64_t taken = 0;
    for (auto line : split(ran.out, '\n'))
        taken += !line.empty();
    CHECK(ran.status == 1);  // some lines were refused
    CHECK(contains(ran.err, "STORAGE_FULL Redis uses "));
    return taken;
}

// An external Redis takes what comes while it is below its limit: so many bytes over it.
void fill_and_drain(const LiveDaemon& daemon, int64_t over_bytes) {
    // Waits in the retry set, and becomes ready, runs and ends while memory is full.
    daemon.must({"enqueue", "fail", "--payload", R"({"times":1})", "--max-attempts", "3"});
    daemon.must({"queue", "pause", "default"});
    int64_t taken = push_until_full(daemon);
    CHECK(taken > 500);
    CHECK(daemon.count("ready") >= taken);  // nothing was lost of what was taken
    const Ran refused = daemon.jobq({"enqueue", "noop"});
    CHECK(refused.status == 75);
    CHECK(contains(refused.err, "of its memory limit of 2"));
    const auto storage = json::parse(daemon.must({"stats", "--json"})).at("storage");
    INFO(storage.dump());
    CHECK(storage.at("state") == "full");
    const int64_t used = storage.at("memory_bytes"), limit = storage.at("memory_limit_bytes");
    CHECK(used > limit / 10 * 8);
    CHECK(used <= limit + over_bytes);
    daemon.must({"queue", "resume", "default"});
    const auto drained = [&] { return daemon.count("succeeded") == taken + 1; };
    CHECK(eventually(drained, std::chrono::seconds(30)));
    const auto accepted = [&] { return daemon.jobq({"enqueue", "noop"}).status == 0; };
    CHECK(eventually(accepted));
    CHECK(eventually([&] { return daemon.unfinished() == 0; }));
    CHECK(daemon.count("dead") == 0);
}

}  // namespace

TEST_CASE("the private Redis at its memory limit refuses jobs and drains") {
    LiveDaemon daemon(std::string(kConfig) + "[redis]\nmax_memory = \"24MiB\"\n",
                      {"--log-level", "warn"});
    fill_and_drain(daemon, 0);
    CHECK(contains(daemon.log(), "storage.full: new jobs are refused: Redis uses"));
}

TEST_CASE("an external Redis's own memory limit is met in the same way") {
    RedisServer redis({false, {"--maxmemory", "24mb"}});
    LiveDaemon daemon(kConfig, {"--log-level", "warn", "--redis", "unix:" + redis.socket_path()});
    fill_and_drain(daemon, 1 << 20);
}

TEST_CASE("without a memory limit nothing is refused, and an idle jobqd does not ask for it") {
    RedisServer redis;
    LiveDaemon daemon(kConfig, {"--log-level", "warn", "--redis", "unix:" + redis.socket_path()});
    daemon.must({"enqueue", "noop", "--wait"});
    const auto storage = json::parse(daemon.must({"stats", "--json"})).at("storage");
    CHECK(storage.at("memory_limit_bytes") == 0);
    CHECK(storage.at("state") == "normal");
}

}  // namespace jobq::test
