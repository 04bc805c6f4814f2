// The data of jobqd after a crash that left its mark on them: mended and said, or refused with the
// status and the command for it.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["default"]
)";

std::string aof_of(const LiveDaemon& daemon) {
    return daemon.state_dir() + "/redis/appendonlydir/appendonly.aof.1.incr.aof";
}

// What jobqd says and its exit status, when it does not start on that directory.
Ran refused_start(const LiveDaemon& daemon, const std::vector<std::string>& more) {
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"--config",    daemon.dir() / "jobqd.toml",
                 "--state-dir", daemon.state_dir(),
                 "--unix",      daemon.socket()};
    call.args.insert(call.args.end(), more.begin(), more.end());
    return run_cli(call);
}

}  // namespace

TEST_CASE("a torn end of the data is mended, and ping and stats tell of it until the next start") {
    LiveDaemon daemon(kConfig, {"--log-level", "warn"});
    daemon.must({"queue", "pause", "default"});
    for (int i = 0; i < 5; ++i)
        daemon.must({"enqueue", "noop"});
    daemon.kill();
    REQUIRE(eventually([&] { return daemon.redis_pid() == 0; }));
    fs::resize_file(aof_of(daemon), fs::file_size(aof_of(daemon)) + 512);  // with zeros
    daemon.start();
    CHECK(daemon.count("ready") == 5);
    CHECK(contains(daemon.must({"ping"}), "since it started: the last 512 bytes of "));
    CHECK(contains(daemon.must({"stats"}), "repaired    the last 512 bytes of "));
    CHECK(contains(daemon.log(), "redis.mended: the last 512 bytes of "));
    daemon.stop();
    daemon.start();
    CHECK_FALSE(contains(daemon.must({"ping"}), "since it started"));
}

TEST_CASE("damage in the middle of the data ends a start with 70, and changes nothing") {
    LiveDaemon daemon(kConfig, {"--log-level", "warn"});
    daemon.must({"queue", "pause", "default"});
    for (int i = 0; i < 5; ++i)
        daemon.must({"enqueue", "noop"});
    daemon.stop();
    const std::string file = aof_of(daemon);
    std::string bytes = read_file(file);
    bytes[bytes.find("\r\n$", bytes.size() / 2) + 2] = '%';
    std::ofstream(file, std::ios::binary) << bytes;
    const Ran ran = refused_start(daemon, {});
    CHECK(ran.status == 70);
    CHECK(contains(ran.err, "are damaged: " + file + " can be read up to byte "));
    CHECK(contains(ran.err, "redis-check-aof --fix " + daemon.state_dir()));
    CHECK(read_file(file) == bytes);
}

TEST_CASE("doctor --fix puts aside what is not jobq's in the private Redis too") {
    LiveDaemon daemon(kConfig, {"--log-level", "warn"});
    daemon.stop();
    std::ofstream(aof_of(daemon), std::ios::binary | std::ios::app)
        << "*3\r\n$3\r\nSET\r\n$15\r\njobq:{main}:odd\r\n$1\r\n1\r\n";
    daemon.start();
    CHECK(contains(daemon.jobq({"doctor"}).out, "found unknown_key odd (string)"));
    const Ran ran = daemon.jobq({"doctor", "--fix", "--yes"});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "repaired unknown_key odd"));
    CHECK(daemon.jobq({"doctor"}).status == 0);
}

TEST_CASE("data that a newer jobqd used end a start with 78 and the way out") {
    RedisServer redis;
    const std::vector<std::string> external{"--redis", "unix:" + redis.socket_path()};
    LiveDaemon daemon(kConfig, {"--log-level", "warn"});
    daemon.stop();
    std::ofstream(daemon.state_dir() + "/format") << "2\n";
    Ran ran = refused_start(daemon, {});
    CHECK(ran.status == 78);
    CHECK(contains(ran.err, "a newer jobqd wrote it (format 2"));
    const std::string set =
        "redis-cli -s " + redis.socket_path() + " set 'jobq:{main}:schema' 99 > /dev/null";
    REQUIRE(std::system(set.c_str()) == 0);
    ran = refused_start(daemon, external);
    CHECK(ran.status == 78);
    CHECK(contains(
        ran.err,
        "the store has schema 99, but this jobqd supports only up to 3. A newer jobqd used"));
}

}  // namespace jobq::test
