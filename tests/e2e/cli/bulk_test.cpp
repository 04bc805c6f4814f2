// enqueue --jsonl against a scripted daemon: order, bad lines, lost connections, a store that is
// away, interrupts, and memory that does not grow.
#include <signal.h>
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/live/cli_kit.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

bool store(Peer& peer, const std::string& text) {
    const auto request = json::parse(text);
    peer.bulk(json{{"jid", request["jid"]}, {"state", "ready"}, {"how", "stored"}}.dump());
    return true;
}

CliCall bulk_call(const FakeDaemon& daemon, std::vector<std::string> args, std::string input) {
    auto call = daemon.call(std::move(args));
    call.no_input = false;
    call.input = std::move(input);
    return call;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("each line of --jsonl becomes a job with what it says and the options it leaves open") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string&, const std::string& text) { return store(peer, text); });
    const std::string input =
        R"({"type":"email","payload":{"n": 1.10},"queue":"mail","id":"line-one","in":"5m","tag":"x"})"
        "\n\n"
        R"({"type":"sms","args":[1,2],"timeout":"30s","expires":"1h","priority":9})"
        "\r\n"
        R"({"type":"late","at":"2030-01-01T00:00:00+01:00"})";
    const Ran ran = run_cli(bulk_call(
        daemon, {"enqueue", "--jsonl", "-", "--queue", "bulk", "--in", "1s", "--timeout", "9s"},
        input));
    CHECK(ran.err.empty());
    CHECK(ran.status == 0);
    const auto sent = daemon.sent("ENQUEUE");
    REQUIRE(sent.size() == 3);
    CHECK(contains(sent[0], R"("payload":{"n": 1.10})"));
    const auto first = json::parse(sent[0]), second = json::parse(sent[1]),
               third = json::parse(sent[2]);
    CHECK(first["queue"] == "mail");
    CHECK(first["delay_ms"] == 300'000);
    CHECK(first["timeout_ms"] == 9'000);
    CHECK(first["tags"] == json::parse(R"(["x"])"));
    CHECK(second["queue"] == "bulk");
    CHECK(second["delay_ms"] == 1'000);
    CHECK(second["timeout_ms"] == 30'000);
    CHECK(second["expires_ms"] == 3'600'000);
    CHECK(third["run_at"] == "2029-12-31T23:00:00Z");
    CHECK_FALSE(third.contains("delay_ms"));
    const auto lines = lines_of(ran.out);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == "line-one");
    CHECK(lines[1] == std::string(second["jid"]));
    CHECK(lines[1].size() == 26);
    CHECK(lines[1] < lines[2]);
}

TEST_CASE("a bad line of --jsonl has its error in its place and does not stop the others") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string& text) {
        if (contains(text, "taken")) {
            peer.write("-DUPLICATE the jid is taken\r\n");
            return true;
        }
        return store(peer, text);
    });
    const std::string long_line =
        R"({"type":"email","payload":")" + std::string(1 << 21, 'x') + "\"}";
    const std::string input = R"({"type":"email","id":"good-one"})"
                              "\nnot json\n[1]\n"
                              R"({"payload":1})"
                              "\n"
                              R"({"type":"email","quue":"x"})"
                              "\n" +
                              long_line + "\n" + R"({"type":"email","id":"taken-id"})" + "\n" +
                              "{\"type\":\"\xff\"}\n" + R"({"type":"email","id":"good-two"})" +
                              "\n";
    const Ran ran = run_cli(bulk_call(daemon, {"enqueue", "--jsonl", "-"}, input));
    CHECK(ran.status == 1);
    CHECK(contains(ran.err, "7 of 9 lines failed"));
    const auto lines = lines_of(ran.out);
    REQUIRE(lines.size() == 9);
    CHECK(lines[0] == "good-one");
    CHECK(contains(lines[1], "line 2: BAD_DATA the line is not JSON: column 2"));
    CHECK(contains(lines[2], "line 3: BAD_DATA the line is not a JSON object"));
    CHECK(contains(lines[3], "line 4: INVALID the line has no \"type\""));
    CHECK(contains(lines[4], "did you mean \"queue\"?"));
    CHECK(contains(lines[5], "line 6: TOO_LARGE"));
    CHECK(contains(lines[6], "line 7: DUPLICATE"));
    CHECK(contains(lines[7], "line 8: BAD_DATA"));
    CHECK(lines[8] == "good-two");
    const Ran objects = run_cli(bulk_call(daemon, {"enqueue", "--jsonl", "-", "-o", "jsonl"},
                                          R"({"type":"email","id":"taken-id"})"
                                          "\n"
                                          R"({"type":"email","id":"good-two"})"));
    const auto rows = lines_of(objects.out);
    REQUIRE(rows.size() == 2);
    CHECK(json::parse(rows[0])["error"] == "DUPLICATE");
    CHECK(json::parse(rows[0])["line"] == 1);
    CHECK(json::parse(rows[1])["state"] == "ready");
}

TEST_CASE("with a TYPE each line of --jsonl is only a payload") {
    FakeDaemon daemon(
        [](Peer& peer, const std::string&, const std::string& text) { return store(peer, text); });
    const Ran ran = run_cli(
        bulk_call(daemon, {"enqueue", "email", "--jsonl", "-"}, "{\"type\":\"x\"}\n3\n\"a\"\n"));
    CHECK(ran.status == 0);
    const auto sent = daemon.sent("ENQUEUE");
    REQUIRE(sent.size() == 3);
    CHECK(json::parse(sent[0])["type"] == "email");
    CHECK(json::parse(sent[0])["payload"] == json::parse(R"({"type":"x"})"));
    CHECK(json::parse(sent[1])["payload"] == 3);
}

TEST_CASE("lines without an answer are sent again after a lost connection, with the same ids") {
    std::set<std::string> stored;
    int seen = 0;
    FakeDaemon daemon([&](Peer& peer, const std::string&, const std::string& text) {
        ++seen;
        // Cut twice: once before an answer, once with the job stored but the answer lost.
        if (seen == 100) return false;
        stored.insert(std::string(json::parse(text)["jid"]));
        if (seen == 700) return false;
        return store(peer, text);
    });
    std::string input;
    for (int i = 0; i < 1000; ++i)
        input += std::to_string(i) + "\n";
    const Ran ran = run_cli(bulk_call(daemon, {"enqueue", "email", "--jsonl", "-"}, input));
    CHECK(ran.status == 0);
    CHECK(daemon.connections() == 3);
    const auto lines = lines_of(ran.out);
    CHECK(lines.size() == 1000);
    CHECK(std::set<std::string>(lines.begin(), lines.end()) == stored);
    CHECK(contains(ran.err, "will be sent again"));
}

TEST_CASE("lines refused because the store is away are sent again") {
    int refused = 0;
    FakeDaemon daemon([&](Peer& peer, const std::string&, const std::string& text) {
        if (refused < 50) {
            ++refused;
            peer.write(refused % 2 == 0 ? "-UNAVAILABLE the store is unavailable\r\n"
                                        : "-UNKNOWN the link was cut\r\n");
            return true;
        }
        return store(peer, text);
    });
    std::string input;
    for (int i = 0; i < 100; ++i)
        input += std::to_string(i) + "\n";
    const Ran ran = run_cli(bulk_call(daemon, {"enqueue", "email", "--jsonl", "-"}, input));
    CHECK(ran.status == 0);
    const auto lines = lines_of(ran.out);
    REQUIRE(lines.size() == 100);
    CHECK(std::is_sorted(lines.begin(), lines.end()));
    const auto sent = daemon.sent("ENQUEUE");
    CHECK(sent.size() == 150);
    std::set<std::string> jids;
    for (const auto& request : sent)
        jids.insert(json::parse(request)["jid"].get<std::string>());
    CHECK(jids.size() == 100);
}

TEST_CASE("an interrupted --jsonl says how much is stored and where to go on") {
    std::atomic<int> pid{0};
    int seen = 0;
    FakeDaemon daemon([&](Peer& peer, const std::string&, const std::string& text) {
        if (++seen <= 10) return store(peer, text);
        if (seen > 11) return true;
        CHECK(eventually([&] { return pid != 0; }));
        kill(pid, SIGINT);
        return true;
    });
    std::string input;
    for (int i = 0; i < 20; ++i)
        input += std::to_string(i) + "\n";
    auto call = bulk_call(daemon, {"enqueue", "email", "--jsonl", "-"}, input);
    call.started = [&](int started) { pid = started; };
    const Ran ran = run_cli(call);
    CHECK(ran.status == 130);
    CHECK(lines_of(ran.out).size() == 10);
    CHECK(contains(ran.err, "10 jobs are stored"));
    CHECK(contains(ran.err, "line 11 is the first line without an answer"));
}

TEST_CASE("a stream of many lines runs with flat memory") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string&) {
        peer.bulk(R"({"jid":"the-same-id","state":"ready","how":"stored"})");
        return true;
    });
    constexpr int kLines = 100'000;
    const std::string line = "{\"text\":\"" + std::string(200, 'x') + "\"}\n";
    std::string input;
    input.reserve(kLines * line.size());
    for (int i = 0; i < kLines; ++i)
        input += line;
    auto call = bulk_call(
        daemon,
        {"-c", "ulimit -v 200000; exec " + std::string(kJobqProgram) + " enqueue email --jsonl -"},
        std::move(input));
    call.program = "/bin/sh";
#ifdef JOBQ_SANITIZED
    call.args[1] = "exec " + std::string(kJobqProgram) +
                   " enqueue email --jsonl -";  // their maps need terabytes
#endif
    call.limit_s = 55;
    const Ran ran = run_cli(call);
    CHECK(ran.status == 0);
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == kLines);
}

}  // namespace jobq::test
