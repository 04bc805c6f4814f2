// Type `run` names its own program: every door refuses it where commands are not allowed, and where
// nobody was asked for a password.
#include <signal.h>

#include <catch2/catch.hpp>

#include "tests/e2e/faktory_kit.h"
#include "tests/e2e/http_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

const char* const kPush = R"({"jid":"push-0001","jobtype":"run","args":[{"argv":["true"]}]})";
const char* const kJob = R"({"type":"run","payload":{"argv":["true"]}})";
const char* const kPool = R"([pool.default]
kind = "exec"
queues = ["default"]
slots = 2
)";

std::string config(bool allowed) {
    return std::string("[listen]\ntcp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n[run]\nallow = ") +
           (allowed ? "true\n" : "false\n") + kPool;
}

// All that take jobs from a connection.
void try_faktory_doors(Wire& wire, Wire& own, const std::string& words) {
    const std::string pushed = wire.ask(std::string("PUSH ") + kPush);
    CHECK(contains(pushed, "-ERR"));
    CHECK(contains(pushed, words));
    CHECK(contains(wire.ask(std::string("PUSHB [") + kPush + "]"), words));
    CHECK(contains(wire.ask(std::string("BATCH NEW {\"success\":") + kPush + "}"), words));
    CHECK(contains(wire.ask(std::string("BATCH NEW {\"complete\":") + kPush + "}"), words));
    const std::string stored = own.ask(std::string("JOBQ ENQUEUE ") + kJob);
    CHECK(contains(stored, "-FORBIDDEN"));
    CHECK(contains(stored, words));
    const std::string brought = own.ask(
        std::string("JOBQ IMPORT {\"jobs\":[{\"state\":\"ready\",\"job\":") + kPush + "}]}");
    CHECK(contains(brought, "FORBIDDEN"));
}

void try_http_doors(const LiveDaemon& daemon, const std::string& words) {
    HttpClient client(http_port(daemon));
    const auto ask = [&](const std::string& path, const std::string& type) {
        const std::string body = std::string(kJob) + "\n";
        REQUIRE(
            client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + type +
                        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
        return client.answer();
    };
    const auto one = ask("/api/v1/jobs", "application/json");
    CHECK(one.status == 403);
    CHECK(contains(one.body, words));
    const auto bulk = ask("/api/v1/jobs:bulk", "application/jsonl");
    CHECK(contains(bulk.body, "FORBIDDEN"));
    CHECK(contains(bulk.body, words));
}

int count_of(const std::string& text, const std::string& part) {
    int count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

std::string hello(bool jobq) {
    return jobq ? R"({"v":2,"jobq":1})" : R"({"v":2})";
}

Wire shake(Wire wire, bool jobq) {
    wire.reply();
    REQUIRE(wire.ask("HELLO " + hello(jobq)) == "+OK");
    return wire;
}

}  // namespace

TEST_CASE("with allow = false every door refuses a command at once, on the Unix socket too") {
    LiveDaemon daemon(config(false));
    for (bool is_unix : {true, false}) {
        CAPTURE(is_unix);
        const auto connect = [&](bool jobq) {
            return shake(is_unix ? Wire(daemon.socket()) : Wire(tcp_port(daemon)), jobq);
        };
        Wire plain = connect(false), own = connect(true);
        try_faktory_doors(plain, own, "allow = true");
    }
    try_http_doors(daemon, "allow = true");
    const Ran ran = daemon.jobq({"run", "--wait", "--", "true"});
    CHECK(ran.status == 77);
    CHECK(contains(ran.err, "allow = true"));
    CHECK(daemon.count("total") == 0);
}

TEST_CASE("over TCP and HTTP without a password a command is refused also where it is allowed") {
    LiveDaemon daemon(config(true));
    Wire plain = shake(Wire(tcp_port(daemon)), false), own = shake(Wire(tcp_port(daemon)), true);
    try_faktory_doors(plain, own, "without a password");
    try_http_doors(daemon, "without a password");
    CHECK(daemon.count("total") == 0);
    CHECK(daemon.jobq({"run", "--wait", "--", "true"}).status == 0);
}

TEST_CASE("commands that wait when they are forbidden do not run, then or later") {
    LiveDaemon daemon(config(true));
    const std::string mark = daemon.dir() / "ran";
    daemon.must({"queue", "pause", "default"});
    daemon.must({"run", "--id", "command-1", "--", "touch", mark});
    const auto reload = [&](bool allowed) {
        const auto reloads = [&] { return count_of(daemon.log(), "config.reloaded"); };
        const int before = reloads();
        daemon.write_config(config(allowed));
        daemon.signal(SIGHUP);
        REQUIRE(eventually([&] { return reloads() > before; }));
    };
    reload(false);
    daemon.must({"queue", "resume", "default"});
    REQUIRE(eventually([&] { return daemon.states({"command-1"}).front() == "dead"; }));
    CHECK(contains(daemon.must({"status", "command-1"}), "allow = true"));
    CHECK(daemon.jobq({"retry", "command-1"}).status == 77);
    reload(true);
    CHECK(daemon.states({"command-1"}).front() == "dead");
    CHECK(read_file(mark).empty());
    daemon.must({"retry", "command-1"});
    REQUIRE(eventually([&] { return daemon.states({"command-1"}).front() == "succeeded"; }));
}

}  // namespace jobq::test
