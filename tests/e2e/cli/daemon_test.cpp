// The command line against a scripted daemon: what goes over the wire, what comes out for each
// answer, and what happens when the daemon misbehaves. A real daemon is in the other e2e tests.
#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/live/cli_kit.h"

namespace jobq::test {
namespace {

using nlohmann::json;

// Stores everything: answers each ENQUEUE with its jid.
bool store(Peer& peer, const std::string& text) {
    const auto request = json::parse(text);
    peer.bulk(json{{"jid", request["jid"]}, {"state", "ready"}, {"how", "stored"}}.dump());
    return true;
}

std::vector<json> parsed(const std::vector<std::string>& texts) {
    std::vector<json> all;
    for (const auto& text : texts)
        all.push_back(json::parse(text));
    return all;
}

}  // namespace

TEST_CASE("enqueue sends what was asked for and prints the id") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string&, const std::string& text) { return store(peer, text); });
    const Ran ran = run_cli(daemon.call({"enqueue",
                                         "email",
                                         "--payload",
                                         R"({"a":1.10,"b":[ 1 ]})",
                                         "--queue",
                                         "mail",
                                         "--priority",
                                         "9",
                                         "--in",
                                         "1m30s",
                                         "--max-attempts",
                                         "4",
                                         "--timeout",
                                         "30s",
                                         "--expires",
                                         "1h",
                                         "--id",
                                         "my-own-job",
                                         "--idempotency-key",
                                         "k",
                                         "--tag",
                                         "a",
                                         "--tag",
                                         "b"}));
    CHECK(ran.status == 0);
    CHECK(ran.out == "my-own-job\n");
    CHECK(ran.err.empty());
    const auto requests = daemon.requests();
    REQUIRE(requests.size() == 2);
    // The payload's bytes are not touched.
    CHECK(contains(requests[1], R"("payload":{"a":1.10,"b":[ 1 ]})"));
    const auto hello = parsed(daemon.sent("HELLO")).at(0);
    CHECK(hello["v"] == 2);
    CHECK(hello["jobq"] == 1);
    auto request = parsed(daemon.sent("ENQUEUE")).at(0);
    request.erase("payload");
    CHECK(request == json::parse(R"({"type":"email","queue":"mail","priority":9,"delay_ms":90000,
        "max_attempts":4,"timeout_ms":30000,"expires_ms":3600000,"jid":"my-own-job",
        "idempotency_key":"k","tags":["a","b"]})"));
}

TEST_CASE("a payload comes from a file, from stdin, or from a pipe when none is named") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string&, const std::string& text) { return store(peer, text); });
    const TempDir dir;
    const std::string file = dir.write("p.json", "{\n  \"to\": \"a\"\n}\n");
    CHECK(run_cli(daemon.call({"enqueue", "email", "--payload", file})).status == 0);
    auto piped = daemon.call({"enqueue", "email", "--payload", "-"});
    piped.no_input = false;
    piped.input = "[1]";
    CHECK(run_cli(piped).status == 0);
    piped.args = {"enqueue", "email"};
    piped.input = "\xEF\xBB\xBF\"bom\"";
    CHECK(run_cli(piped).status == 0);
    piped.input = "";  // as cron starts its jobs
    CHECK(run_cli(piped).status == 0);
    CHECK(run_cli(daemon.call({"enqueue", "email"})).status == 0);
    const auto all = parsed(daemon.sent("ENQUEUE"));
    REQUIRE(all.size() == 5);
    CHECK(all[0]["payload_text"] == "{\n  \"to\": \"a\"\n}\n");
    CHECK(all[1]["payload"] == json::parse("[1]"));
    CHECK(all[2]["payload"] == "bom");
    CHECK(all[3]["args"] == json::array());
    CHECK(all[4]["args"] == json::array());
}

TEST_CASE("output formats of enqueue: the id, the daemon's object, a remark on stderr") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string&) {
        peer.bulk(
            R"({"jid":"j1","state":"ready","how":"stored","note":"no worker takes type x yet"})");
        return true;
    });
    const Ran text = run_cli(daemon.call({"enqueue", "x"}));
    CHECK(text.out == "j1\n");
    CHECK(text.err == "jobq: no worker takes type x yet\n");
    const Ran quiet = run_cli(daemon.call({"enqueue", "x", "-q"}));
    CHECK(quiet.out == "j1\n");
    CHECK(quiet.err.empty());
    const Ran object = run_cli(daemon.call({"enqueue", "x", "--json"}));
    CHECK(json::parse(object.out)["note"] == "no worker takes type x yet");
    CHECK(object.err.empty());
}

TEST_CASE("an error of the daemon ends with the status of its code") {
    std::string code = "INTERNAL";
    FakeDaemon daemon([&code](Peer& peer, const std::string&, const std::string&) {
        peer.write("-" + code + " it is \x1b[31mso\r\n");
        return true;
    });
    const std::vector<std::pair<std::string, int>> codes{
        {"INVALID", 2},   {"BAD_DATA", 65},     {"TOO_LARGE", 65},   {"NOT_FOUND", 3},
        {"DUPLICATE", 4}, {"CONFLICT", 4},      {"FORBIDDEN", 77},   {"UNAUTHORIZED", 77},
        {"BUSY", 75},     {"STORAGE_FULL", 75}, {"UNAVAILABLE", 69}, {"INTERNAL", 70},
        {"ERR", 2}};
    for (const auto& [name, status] : codes) {
        code = name;
        const Ran ran = run_cli(daemon.call({"enqueue", "x", "--id", "some-job"}));
        INFO(name << ": " << ran.err);
        CHECK(ran.status == status);
        CHECK(contains(ran.err, "it is"));
        CHECK_FALSE(contains(ran.err, "\x1b"));
    }
}

TEST_CASE("a password is answered with Faktory's hash") {
    // Vector of Faktory's own tests: password foobar, this salt, 1545 rounds.
    const std::string expected = "6d877f8e5544b1f2598768f817413ab8a357afffa924dedae99eb91472d4ec30";
    int port = 0;
    FakeDaemon daemon(
        [&expected](Peer& peer, const std::string& verb, const std::string& text) {
            if (verb == "HELLO") {
                const bool good = json::parse(text).value("pwdhash", "") == expected;
                peer.write(good ? "+OK\r\n" : "-ERR Invalid password\r\n");
                return good;
            }
            peer.bulk(R"({"version":"1","pid":1,"uptime_s":1,"state":"ready"})");
            return true;
        },
        "+HI {\"v\":2,\"i\":1545,\"s\":\"55104dc76695721d\"}\r\n", &port);
    CliCall call;
    call.args = {"ping"};
    const std::string host = "127.0.0.1:" + std::to_string(port);
    call.env["JOBQ_URL"] = "tcp://:foobar@" + host;
    CHECK(run_cli(call).status == 0);
    call.env["JOBQ_URL"] = "tcp://me:%66oobar@" + host + "/";
    CHECK(run_cli(call).status == 0);
    CHECK(parsed(daemon.sent("HELLO")).back()["username"] == "me");
    call.env["JOBQ_URL"] = "tcp://:wrong@" + host;
    const Ran wrong = run_cli(call);
    CHECK(wrong.status == 77);
    CHECK(contains(wrong.err, "rejected the password"));
    CHECK_FALSE(contains(wrong.err, "wrong"));
    call.env["JOBQ_URL"] = "tcp://" + host;
    const Ran none = run_cli(call);
    CHECK(none.status == 77);
    CHECK(contains(none.err, "requires a password"));
}

TEST_CASE("what listens but is no jobqd is named") {
    FakeDaemon silent([](Peer&, const std::string&, const std::string&) { return true; },
                      "220 mail.example.org ESMTP\r\n");
    const Ran ran = run_cli(silent.call({"ping"}));
    CHECK(ran.status == 69);
    CHECK(contains(ran.err, "does not speak jobq's protocol"));
}

TEST_CASE("a lost answer is asked for again with the same id") {
    int lost = 0;
    FakeDaemon daemon([&lost](Peer& peer, const std::string&, const std::string& text) {
        if (lost++ == 0) return false;
        return store(peer, text);
    });
    const Ran ran = run_cli(daemon.call({"enqueue", "email"}));
    CHECK(ran.status == 0);
    const auto requests = daemon.sent("ENQUEUE");
    REQUIRE(requests.size() == 2);
    auto repeat = json::parse(requests[1]);
    CHECK(repeat["again"] == false);  // says that it is one
    repeat.erase("again");
    CHECK(json::parse(requests[0]) == repeat);
    CHECK(ran.out == std::string(json::parse(requests[0])["jid"]) + "\n");
    CHECK(contains(ran.err, "trying again"));
}

}  // namespace jobq::test
