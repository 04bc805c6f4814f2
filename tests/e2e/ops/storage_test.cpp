// A disk that fills, and one that fails: what was acknowledged is kept, what can't be kept is
// refused in so many words, what runs is recorded, and all of it heals by itself. The disk is a
// tmpfs, and its faults are strace's: both take root, without which these tests are not run.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/base/text.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/live/small_disk.h"
#include "tests/support/live/tracer.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kConfig = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 4
)";

constexpr int kFull = 75;  // exit status

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (auto line : split(text, '\n'))
        if (!line.empty()) lines.emplace_back(line);
    return lines;
}

int count_of(const std::string& text, const std::string& part) {
    int count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

std::string storage_state(const LiveDaemon& daemon) {
    const Ran ran = daemon.jobq({"stats", "--json"});
    if (ran.status != 0) return "no answer";
    return json::parse(ran.out).at("storage").at("state");
}

// The file that Redis appends to.
std::string log_of_redis(const LiveDaemon& daemon) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon.state_dir()))
        if (entry.path().string().ends_with(".incr.aof")) return entry.path();
    throw std::runtime_error("no log of Redis in " + daemon.state_dir());
}

// Those whose lines came back as jids.
int64_t enqueue_many(const LiveDaemon& daemon, const std::string& line, int count) {
    std::string input;
    for (int i = 0; i < count; ++i)
        input += line + "\n";
    const Ran ran = daemon.jobq({"enqueue", "--jsonl", "-", "-q"}, input);
    return int64_t(lines_of(ran.out).size());
}

// Jobs are taken again, before long.
void await_taken(const LiveDaemon& daemon, int64_t& acknowledged) {
    const auto is_taken = [&] { return daemon.jobq({"enqueue", "noop"}).status == 0; };
    const bool taken = eventually(is_taken, seconds(20));
    CHECK(taken);
    acknowledged += taken;
}

// Warns that a test is not run, and why.
bool is_missing(const SmallDisk& disk) {
    if (!disk.mounted()) WARN("not run: to mount a tmpfs takes root");
    return !disk.mounted();
}

}  // namespace

TEST_CASE("20 times others fill the disk: refused, recorded, healed, nothing lost", "[disk]") {
    SmallDisk disk(8);
    if (is_missing(disk)) return;
    LiveDaemon daemon(kConfig, {"--log-level", "warn"},
                      [&](const std::string& dir) { disk.hold(dir); });
    int64_t acknowledged = 0, unsure = 0;
    for (int cycle = 0; cycle < 20; ++cycle) {
        INFO("cycle " << cycle);
        acknowledged += enqueue_many(daemon, R"({"type":"sleep","payload":0.15})", 4);
        acknowledged += enqueue_many(daemon, R"({"type":"noop"})", 20);
        disk.fill();
        Ran refused;
        const auto is_refused = [&] {
            refused = daemon.jobq({"enqueue", "noop"});
            acknowledged += refused.status == 0;  // it still fitted
            const bool told = contains(refused.err, "free some space");
            unsure += refused.status != 0 && !told;  // Redis ended meanwhile, see below
            return told;
        };
        REQUIRE(eventually(is_refused));
        REQUIRE(refused.status == kFull);
        CHECK(contains(refused.err, disk.path()));
        CHECK(storage_state(daemon) == "full");
        // The reserve is for this.
        const auto recorded = [&] { return daemon.count("succeeded") >= acknowledged; };
        if (!eventually(recorded))
            FAIL_CHECK("not recorded: " << daemon.jobq({"stats"}).out << daemon.log());
        disk.free();
        await_taken(daemon, acknowledged);
    }
    const auto all_over = [&] { return daemon.count("succeeded") >= acknowledged; };
    CHECK(eventually(all_over));
    CHECK(daemon.count("succeeded") <= acknowledged + unsure);
    CHECK(unsure <= 3);
    // Between jobqd's look and Redis's write the disk may fill: then Redis ends and comes back.
    // That is rare, and loses nothing.
    CHECK(count_of(daemon.log(), "redis.private") <= 3);
    CHECK(count_of(daemon.log(), "storage.full") == 20);
    daemon.kill();
    daemon.start();
    CHECK(daemon.count("succeeded") >= acknowledged);
}

TEST_CASE("a disk filled by the jobs themselves is emptied by running them", "[disk]") {
    SmallDisk disk(8);
    if (is_missing(disk)) return;
    LiveDaemon daemon(kConfig, {"--log-level", "info"},
                      [&](const std::string& dir) { disk.hold(dir); });
    daemon.must({"queue", "pause", "default"});
    const std::string big = R"({"type":"noop","payload":")" + std::string(100'000, 'x') + R"("})";
    int64_t acknowledged = enqueue_many(daemon, big, 100);
    CHECK(acknowledged > 40);
    CHECK(acknowledged < 70);
    CHECK(daemon.jobq({"enqueue", "noop"}).status == kFull);
    // What Faktory's clients and people are told, and that it can be seen.
    const Ran ping = daemon.jobq({"ping"});
    CHECK(contains(ping.out, "new jobs are refused: the disk of"));
    CHECK(contains(daemon.must({"stats"}), "storage     full: the disk of"));
    CHECK(daemon.count("ready") == acknowledged);
    daemon.must({"queue", "resume", "default"});
    // Nobody frees space: the append-only file is rewritten without what is over.
    await_taken(daemon, acknowledged);
    CHECK(eventually([&] { return daemon.count("succeeded") == acknowledged; }));
    CHECK(storage_state(daemon) == "normal");
    CHECK(disk.free_bytes() > 5 << 20);
    CHECK(count_of(daemon.log(), "storage.ok") == 1);
}

TEST_CASE("with the reserve gone too, reads go on, Redis is not hammered, and it heals", "[disk]") {
    SmallDisk disk(8);
    if (is_missing(disk)) return;
    LiveDaemon daemon(kConfig, {"--log-level", "info"},
                      [&](const std::string& dir) { disk.hold(dir); });
    int64_t acknowledged = enqueue_many(daemon, R"({"type":"sleep","payload":2})", 4);
    acknowledged += enqueue_many(daemon, R"({"type":"noop"})", 50);
    REQUIRE(eventually([&] { return daemon.count("running") >= 4; }));
    disk.fill();
    CHECK(daemon.jobq({"enqueue", "noop"}).status == kFull);  // which gives up the reserve
    disk.fill();
    const auto sleepers_over = [&] { return contains(daemon.log(), "type=sleep"); };
    CHECK_FALSE(eventually(sleepers_over, seconds(3)));  // their ends wait
    CHECK(daemon.count("total") == acknowledged);
    const Ran stats = daemon.jobq({"stats"});
    CHECK(contains(stats.out, "full: the disk of"));
    CHECK(count_of(daemon.log(), "redis.private") <= 5);
    disk.free();
    await_taken(daemon, acknowledged);
    CHECK(eventually([&] { return daemon.count("succeeded") == acknowledged; }));
    CHECK(daemon.count("failed_attempts") == 0);
    daemon.kill();
    daemon.start();
    CHECK(daemon.count("succeeded") == acknowledged);
}

TEST_CASE("a disk that refuses writes or syncs ends Redis, once a second at most", "[disk]") {
    if (!Tracer::is_possible()) {
        WARN("not run: strace can't trace a process here");
        return;
    }
    const std::string fault =
        GENERATE("fdatasync:error=EIO", "fdatasync:error=ENOSPC", "write:error=EIO:when=20+9");
    INFO(fault);
    LiveDaemon daemon(kConfig, {"--log-level", "info"});
    int64_t acknowledged = enqueue_many(daemon, R"({"type":"noop"})", 200);
    int64_t uncertain = 0;
    {
        // Redis itself for writes, to its log alone, as others may take their turn with these for
        // ever; for syncs also those that jobqd starts after it.
        const bool writes = fault.starts_with("write");
        Tracer tracer(writes ? daemon.redis_pid() : daemon.pid(), fault,
                      writes ? log_of_redis(daemon) : "");
        const pid_t redis = daemon.redis_pid();
        Tracer of_redis(writes ? 0 : redis, fault);
        // At least five seconds, and until it was hit.
        const auto began = std::chrono::steady_clock::now();
        const auto so_far = [&] { return std::chrono::steady_clock::now() - began; };
        while (so_far() < seconds(5) || (daemon.redis_pid() == redis && so_far() < seconds(40))) {
            const Ran ran = daemon.jobq({"enqueue", "noop"});
            acknowledged += ran.status == 0;
            uncertain += ran.status != 0;
        }
        INFO(daemon.log());
        CHECK(daemon.redis_pid() != redis);
        const auto took_s = std::chrono::duration_cast<seconds>(so_far()).count();
        CHECK(count_of(daemon.log(), "state=backing_off") <= took_s + 2);
    }
    await_taken(daemon, acknowledged);
    const auto over = [&] { return daemon.unfinished() == 0; };
    INFO(daemon.jobq({"stats"}).out);
    INFO(daemon.log());
    CHECK(eventually(over, seconds(20)));
    daemon.kill();
    daemon.start();
    const int64_t kept = daemon.count("succeeded");
    CHECK(kept >= acknowledged);
    CHECK(kept <= acknowledged + uncertain);
}

// Redis would answer every write with MISCONF for ever after one failed sync.
TEST_CASE("with everysec a disk that failed for a while is written to again", "[disk]") {
    if (!Tracer::is_possible()) {
        WARN("not run: strace can't trace a process here");
        return;
    }
    LiveDaemon daemon(std::string(kConfig) + "[redis]\ndurability = \"everysec\"\n",
                      {"--log-level", "info"});
    int64_t acknowledged = enqueue_many(daemon, R"({"type":"noop"})", 50);
    const pid_t redis = daemon.redis_pid();
    int failed = 0;
    {
        Tracer tracer(redis, "fdatasync:error=EIO");
        // A call of jobqd itself may meet it first: then Redis is started anew, and no enqueue
        // fails.
        const auto is_noticed = [&] {
            const Ran ran = daemon.jobq({"enqueue", "noop"});
            acknowledged += ran.status == 0;
            failed += ran.status != 0;
            return ran.status != 0 || daemon.redis_pid() != redis;
        };
        CHECK(eventually(is_noticed, seconds(10)));
    }
    await_taken(daemon, acknowledged);
    CHECK(daemon.redis_pid() != redis);
    CHECK(eventually([&] { return daemon.unfinished() == 0; }));
    CHECK(daemon.count("succeeded") >= acknowledged);
    CHECK(daemon.count("succeeded") <= acknowledged + failed);
}

}  // namespace jobq::test
