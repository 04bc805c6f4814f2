// Type `run` names its own program: every door refuses it where commands are not allowed, and where
// nobody was asked for a password.
#include <signal.h>

#include <catch2/catch.hpp>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/http_kit.h"
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

namespace {

// Two dead commands and a dead mail.
struct DeadCommands {
    DeadCommands() : daemon(config(true)) {
        daemon.must({"queue", "pause", "default"});
        for (const std::string jid : {"command-2", "command-3"})
            daemon.must({"run", "--id", jid, "--in", "1h", "--", "true"});
        daemon.must({"enqueue", "mail", "--id", "mail-0001", "--in", "1h", "--payload", "[]"});
        Wire own = shake(Wire(daemon.socket()), false);
        REQUIRE(own.ask(R"(MUTATE {"cmd":"kill","target":"scheduled"})") == ok());
        REQUIRE(daemon.states({"command-2", "command-3", "mail-0001"}) == all_dead());
    }

    static std::vector<std::string> all_dead() { return {"dead", "dead", "dead"}; }

    std::vector<std::string> states() const {
        return daemon.states({"command-2", "command-3", "mail-0001"});
    }

    LiveDaemon daemon;
};

const std::vector<std::string> kMailAlone{"dead", "dead", "ready"};

HttpAnswer post(const LiveDaemon& daemon, const std::string& path, const std::string& body) {
    HttpClient client(http_port(daemon));
    const std::string type = body.empty() ? "" : "Content-Type: application/json\r\n";
    REQUIRE(client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + type +
                        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    return client.answer();
}

}  // namespace

TEST_CASE("a stored command is not run again by who comes over TCP or HTTP without a password") {
    DeadCommands dead;
    LiveDaemon& daemon = dead.daemon;
    Wire plain = shake(Wire(tcp_port(daemon)), false), own = shake(Wire(tcp_port(daemon)), true);
    const std::string words = "not run again";

    SECTION("by its id") {
        CHECK(contains(own.ask(R"(JOBQ RETRY {"jids":["command-2"]})"), words));
        const auto answer = post(daemon, "/api/v1/jobs/command-2/retry", "");
        CHECK(answer.status == 403);
        CHECK(contains(answer.body, words));
        auto call = daemon.call({"retry", "command-2"});
        call.env["JOBQ_URL"] = "tcp://127.0.0.1:" + std::to_string(tcp_port(daemon));
        const Ran ran = run_cli(call);
        CHECK(ran.status == 77);
        CHECK(contains(ran.err, words));
        CHECK(dead.states() == DeadCommands::all_dead());
    }
    SECTION("by MUTATE") {
        const std::string said = plain.ask(R"(MUTATE {"cmd":"requeue","target":"dead"})");
        CHECK(contains(said, "-ERR 2 left unchanged"));
        CHECK(contains(said, words));
        CHECK(dead.states() == kMailAlone);
    }
    SECTION("by RETRY_DEAD, which tells how many") {
        const Json said = Json::parse(own.ask(R"(JOBQ RETRY_DEAD {"all":true})"));
        CHECK(said.at("matched") == 3);
        CHECK(said.at("retried") == 1);
        CHECK(said.at("refused") == 2);
        CHECK(contains(said.at("why"), words));
        CHECK(dead.states() == kMailAlone);
    }
    SECTION("by the API's retry of many") {
        const auto answer = post(daemon, "/api/v1/dead/retry", R"({"all":true})");
        CHECK(Json::parse(answer.body).at("refused") == 2);
        CHECK(dead.states() == kMailAlone);
    }
    SECTION("by an operation") {
        const auto begun = post(daemon, "/api/v1/operations",
                                R"({"action":"retry","filter":{"state":"dead","all":true}})");
        const std::string id = Json::parse(begun.body).at("id");
        Json now;
        REQUIRE(eventually([&] {
            now = Json::parse(own.ask("JOBQ OPERATIONS {\"id\":\"" + id + "\"}"));
            return now.at("operations")[0].at("state") == "finished";
        }));
        CHECK(now.at("operations")[0].at("done") == 1);
        CHECK(now.at("operations")[0].at("failed") == 2);
        CHECK(contains(now.at("operations")[0].at("trouble"), words));
        CHECK(dead.states() == kMailAlone);
    }
    SECTION("in the runner's name") {
        std::string wid;
        REQUIRE(eventually([&] {
            const Json workers = Json::parse(own.ask("JOBQ WORKERS {}"));
            for (const auto& worker : workers.at("workers"))
                if (worker.at("kind") == "runner") wid = worker.at("wid");
            return !wid.empty();
        }));
        Wire false_runner(tcp_port(daemon));
        false_runner.reply();
        const std::string said = false_runner.ask(R"(HELLO {"v":2,"jobq":1,"wid":")" + wid + "\"}");
        CHECK(contains(said, "runner"));
        CHECK(false_runner.closes());
    }
    // Its operator does.
    daemon.must({"retry", "command-2"});
    CHECK(daemon.states({"command-2"}).front() == "ready");
}

TEST_CASE("with allow = false many commands are left dead at once, counted and told") {
    LiveDaemon daemon(config(true));
    daemon.must({"queue", "pause", "default"});
    daemon.must({"run", "--id", "command-1", "--in", "1h", "--", "true"});
    daemon.must({"enqueue", "mail", "--id", "mail-0001", "--in", "1h", "--payload", "[]"});
    Wire own = shake(Wire(daemon.socket()), false);
    REQUIRE(own.ask(R"(MUTATE {"cmd":"kill","target":"scheduled"})") == ok());
    daemon.write_config(config(false));
    daemon.signal(SIGHUP);
    REQUIRE(eventually([&] { return contains(daemon.log(), "config.reloaded"); }));
    const Ran ran = daemon.jobq({"retry-dead", "--all", "--yes"});
    CHECK(ran.status == 1);
    CHECK(contains(ran.out, "1 dead jobs are ready again"));
    CHECK(contains(ran.err, "1 were refused and left dead"));
    CHECK(contains(ran.err, "allow = true"));
    CHECK(daemon.states({"command-1", "mail-0001"}) == std::vector<std::string>{"dead", "ready"});
}

}  // namespace jobq::test
