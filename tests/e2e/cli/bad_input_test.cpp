// What people do wrong, walked as a table with the real programs: each mistake gets one clear line
// that names the thing and the way out, the right exit status, and nothing half-done.
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kConfig = R"(
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 2
)";

constexpr size_t kMiB = 1 << 20;

struct Mistake {
    std::string name;
    Words args;
    int status;
    Words said;         // all of these on stderr
    std::string input;  // stdin, when it has any
};

// At most two lines: what is wrong, and perhaps a hint below it.
bool is_short(const std::string& text) {
    return !text.empty() && std::count(text.begin(), text.end(), '\n') <= 2;
}

void check(const Mistake& mistake, const Ran& ran) {
    INFO(mistake.name << ": " << ran.err.substr(0, 1000));
    CHECK(ran.status == mistake.status);
    CHECK(is_short(ran.err));
    for (const auto& part : mistake.said) {
        INFO("wanted: " << part);
        CHECK(contains(ran.err, part));
    }
}

std::string nested(int depth) {
    return std::string(size_t(depth), '[') + std::string(size_t(depth), ']');
}

// Files in the daemon's own directory, named by the table.
void write_files(const TempDir& dir) {
    dir.write("torn", "{\"a\":");
    dir.write("large", "\"" + std::string(kMiB - 1, 'a') + "\"");
    dir.write("limit", "\"" + std::string(kMiB - 2, 'a') + "\"");
    dir.write("deep", nested(65));
    dir.write("latin", "\"caf\xe9\"");
    mkdir((dir / "folder").c_str(), 0700);
}

std::vector<Mistake> mistakes() {
    return {
        {"not JSON", {"enqueue", "noop", "-p", "torn"}, 65, {"torn", "not JSON", "column 6"}, ""},
        {"1 MiB + 1",
         {"enqueue", "noop", "-p", "large"},
         65,
         {"large", "1048576", "enqueue its path"},
         ""},
        {"depth 65",
         {"enqueue", "noop", "-p", "deep"},
         65,
         {"deep", "64 levels", "flatten it"},
         ""},
        {"not UTF-8", {"enqueue", "noop", "-p", "latin"}, 65, {"latin", "UTF-8"}, ""},
        {"bad queue name",
         {"enqueue", "noop", "--queue", "a/b"},
         2,
         {"--queue", "a/b", "1 to 255 of the characters"},
         ""},
        {"negative delay",
         {"enqueue", "noop", "--in=-5s"},
         2,
         {"--in", "-5s", "past", "omit --in"},
         ""},
        {"no delay", {"enqueue", "noop", "--in", "soon"}, 2, {"--in", "soon", "30s"}, ""},
        {"must be longer than 0",
         {"enqueue", "noop", "--at", "yesterday"},
         2,
         {"--at", "yesterday", "T"},
         ""},
        {"bad priority", {"enqueue", "noop", "--priority", "10"}, 2, {"10", "from 1 to 9"}, ""},
        {"unknown verb", {"enqeue", "noop"}, 2, {"enqeue", "did you mean 'enqueue'"}, ""},
        {"wrong option",
         {"enqueue", "noop", "--prioritty", "3"},
         2,
         {"--prioritty", "did you mean '--priority'"},
         ""},
        {"missing file", {"enqueue", "noop", "-p", "gone.json"}, 66, {"gone.json", "exist"}, ""},
        {"missing lines", {"enqueue", "--jsonl", "gone"}, 66, {"gone", "No such file"}, ""},
        {"directory", {"enqueue", "noop", "-p", "./folder"}, 66, {"./folder", "directory"}, ""},
        {"directory of lines", {"enqueue", "--jsonl", "folder"}, 66, {"folder", "directory"}, ""},
        {"empty stdin",
         {"enqueue", "noop", "-p", "-"},
         65,
         {"stdin is empty", "omit --payload"},
         ""},
        {"later feature",
         {"enqueue", "noop", "--after", "x"},
         2,
         {"--after", "not available in this version yet"},
         ""},
        {"unknown job", {"status", "no-such-job"}, 3, {"no-such-job", "retention"}, ""},
        {"bad lines",
         {"enqueue", "--jsonl", "-"},
         1,
         {"2 of 2 lines failed"},
         "{\"type\":\n{\"type\":\"noop\",\"queue\":\"a b\"}\n"},
    };
}

// jobqd with these flags after a configuration; it is expected to end by itself.
Ran run_jobqd(const TempDir& dir, const std::string& toml, Words flags) {
    CliCall call;
    call.program = kJobqdProgram;
    call.args = {"--config", dir.write("x.toml", toml)};
    call.args.insert(call.args.end(), flags.begin(), flags.end());
    call.cwd = dir.path();
    return run_cli(call);
}

constexpr const char* kTenErrors = R"(stop_timeout = "soon"
colour = "red"
[listen]
tcp = "nowhere"
conections = 5
[redis]
durability = "most"
namespace = "a b"
[pool.a]
kind = "forks"
slots = 0
[type.x]
timeout = 5
max_attempts = 5000
)";

// A TCP port of loopback that somebody has.
class TakenPort {
  public:
    TakenPort()
        : daemon_([](Peer&, const std::string&, const std::string&) { return false; },
                  "+HI {\"v\":2}\r\n", &port_) {}

    std::string text() const { return "127.0.0.1:" + std::to_string(port_); }

  private:
    int port_ = 0;
    FakeDaemon daemon_;
};

}  // namespace

TEST_CASE("each mistake on the command line is named, with the way out, and stores nothing") {
    LiveDaemon daemon(kConfig);
    write_files(daemon.dir());
    for (const auto& mistake : mistakes()) {
        CliCall call = daemon.call(mistake.args, mistake.input);
        call.cwd = daemon.dir().path();
        const Ran ran = run_cli(call);
        check(mistake, ran);
        CHECK(contains(ran.err, "jobq: "));
    }
    CHECK(daemon.count("total") == 0);
    CliCall call = daemon.call({"enqueue", "noop", "-p", "limit", "--wait"});
    call.cwd = daemon.dir().path();
    CHECK(run_cli(call).status == 0);
    CHECK(daemon.jobq({"enqueue", "noop", "-p", nested(64), "--wait"}).status == 0);
}

TEST_CASE("odd but possible requests are accepted with a remark") {
    LiveDaemon daemon(kConfig);
    const Ran stranger = daemon.jobq({"enqueue", "stranger"});
    check({"unknown type", {}, 0, {"stranger", "[type.stranger]"}, ""}, stranger);
    const std::string jid = stranger.out.substr(0, stranger.out.find('\n'));
    // For a moment it is with the pool that finds out that it can't run it.
    CHECK(eventually([&] { return contains(daemon.must({"status", jid}), "[type.stranger]"); }));
    const Ran past =
        daemon.jobq({"enqueue", "noop", "--at", "2001-01-01T00:00:00Z", "--id", "long-ago"});
    check({"a time in the past", {}, 0, {"in the past", "runs now"}, ""}, past);
    CHECK(daemon.jobq({"wait", "long-ago", "--timeout", "20s"}).status == 0);
    CHECK(daemon.must({"enqueue", "sleep", "-p", "60", "--id", "taken-id"}) == "taken-id");
    CHECK(daemon.must({"enqueue", "sleep", "-p", "60", "--id", "taken-id"}) == "taken-id");
    check({"duplicate id", {}, 4, {"taken-id", "another job", "omit the id"}, ""},
          daemon.jobq({"enqueue", "sleep", "-p", "61", "--id", "taken-id"}));
    CHECK(daemon.count("total") == 3);
    daemon.must({"cancel", "taken-id"});
}

TEST_CASE("without a daemon the answer comes at once and says what to run") {
    CliCall call;
    call.args = {"enqueue", "noop"};
    call.env["JOBQ_URL"] = "unix:/nonexistent/jobq.sock";
    const Ran ran = run_cli(call);
    check({"no daemon", {}, 69, {"/nonexistent/jobq.sock", "No such file", "jobqd --dev"}, ""},
          ran);
    CHECK(ran.seconds < 8);
}

TEST_CASE("jobqd names every error of a configuration at once and does not start") {
    TempDir dir;
    const Ran ran = run_jobqd(dir, kTenErrors, {"--state-dir", dir / "s"});
    INFO(ran.err);
    CHECK(ran.status == 78);
    for (const char* part :
         {"x.toml:1:16: ", "\"soon\"", "x.toml:2:1: ", "\"colour\"", "x.toml:4:7: ", "\"nowhere\"",
          "x.toml:5:1: ", "did you mean \"connections\"?", "x.toml:7:14: ", "\"most\"",
          "x.toml:8:13: ", "x.toml:10:8: ", "\"forks\"",
          "x.toml:11:9: ", "x.toml:13:11: ", "x.toml:14:16: ", "the configuration has 10 errors"}) {
        INFO("wanted: " << part);
        CHECK(contains(ran.err, part));
    }
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 11);
    CHECK_FALSE(std::filesystem::exists(dir / "s"));
}

TEST_CASE("jobqd that can't start says why in one line, and what to do") {
    TempDir dir;
    const std::string state = dir / "s", socket = dir / "q.sock", plain = dir.write("plain", "");
    const std::string old = dir.write("redis-old", "#!/bin/sh\necho 'Redis server v=6.0.16 x'\n");
    chmod(old.c_str(), 0700);
    const std::string too_long = dir / (std::string(110, 'x') + ".sock");
    TakenPort port;

    struct Row {
        Mistake mistake;  // args: the flags
        std::string toml;
    };

    const Row rows[] = {
        {{"Redis missing",
          {"--state-dir", state, "--unix", socket},
          78,
          {"[redis] binary", "/nonexistent/redis-server", "no such program"},
          ""},
         "[redis]\nbinary = \"/nonexistent/redis-server\"\n"},
        {{"Redis too old",
          {"--state-dir", state, "--unix", socket},
          78,
          {old, "6.0.16", "7.0", "[redis] binary"},
          ""},
         "[redis]\nbinary = \"" + old + "\"\n"},
        {{"state dir is a file",
          {"--state-dir", plain, "--unix", socket},
          77,
          {plain, "state directory", "--state-dir"},
          ""},
         ""},
        {{"state dir below a file",
          {"--state-dir", plain + "/s", "--unix", socket},
          77,
          {plain + "/s", "Not a directory", "--state-dir"},
          ""},
         ""},
        {{"port taken",
          {"--state-dir", state, "--unix", socket, "--tcp", port.text()},
          4,
          {port.text(), "Address already in use", "another port"},
          ""},
         ""},
        {{"http port taken",
          {"--state-dir", state, "--unix", socket, "--http", port.text()},
          4,
          {port.text(), "Address already in use", "another port"},
          ""},
         ""},
        {{"socket path too long",
          {"--state-dir", state, "--unix", too_long},
          78,
          {"unix", "bytes long", "107"},
          ""},
         ""},
        {{"a file where the socket should be",
          {"--state-dir", state, "--unix", plain},
          4,
          {plain, "not a socket", "listen elsewhere"},
          ""},
         ""},
        {{"no Redis there",
          {"--state-dir", state, "--unix", socket, "--redis", "unix:/nonexistent/r.sock"},
          69,
          {"/nonexistent/r.sock", "--redis"},
          ""},
         ""},
        {{"wrong option", {"--confg", "x"}, 2, {"--confg", "--config"}, ""}, ""},
    };
    for (const Row& row : rows) {
        const Ran ran = run_jobqd(dir, row.toml, row.mistake.args);
        check(row.mistake, ran);
        CHECK_FALSE(contains(ran.err, "jobqd: ready"));
        CHECK_FALSE(std::filesystem::exists(state + "/jobqd.ready"));
        CHECK_FALSE(std::filesystem::exists(socket));
    }
    CHECK(read_file(plain) == "");
}

TEST_CASE("a second jobqd on a state directory or a socket is refused, the first is not touched") {
    LiveDaemon first(kConfig);
    TempDir dir;
    check({"same directory",
           {},
           4,
           {first.state_dir(), std::to_string(first.pid()), "state_dir"},
           ""},
          run_jobqd(dir, "", {"--state-dir", first.state_dir(), "--unix", dir / "q.sock"}));
    check({"same socket", {}, 4, {first.socket(), "listen elsewhere"}, ""},
          run_jobqd(dir, "", {"--state-dir", dir / "s", "--unix", first.socket()}));
    CHECK(first.jobq({"enqueue", "noop", "--wait"}).status == 0);
    CHECK(std::filesystem::exists(first.state_dir() + "/jobqd.ready"));
}

}  // namespace jobq::test
