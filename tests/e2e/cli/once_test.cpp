// Once means once, with the real programs: answers are thrown away at random, who asked asks again,
// and each job runs once, also when it was over before the repeat.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/cut_proxy.h"
#include "tests/support/http_client.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"([listen]
http = "unix:{dir}/http.sock"
[run]
allow = true
[pool.default]
kind = "exec"
queues = ["default"]
slots = 8
[type.mark]
run = ["sh", "-c", "echo $0 >> {dir}/ran", "{payload}"]
[type.brief]
run = ["sh", "-c", "echo $0 >> {dir}/ran", "{payload}"]
retention = "0s"
)";

std::map<std::string, int> runs_of(const LiveDaemon& daemon) {
    std::map<std::string, int> runs;
    const std::string text = read_file(daemon.dir() / "ran");
    for (size_t at = 0; at < text.size();) {
        const size_t end = text.find('\n', at);
        ++runs[text.substr(at, end - at)];
        at = end == text.npos ? end : end + 1;
    }
    return runs;
}

int64_t total(const std::map<std::string, int>& runs) {
    int64_t sum = 0;
    for (const auto& [name, count] : runs)
        sum += count;
    return sum;
}

CliCall through(const CutProxy& proxy, std::vector<std::string> args, std::string input = "") {
    CliCall call;
    call.args = std::move(args);
    call.no_input = input.empty();
    call.input = std::move(input);
    call.env["JOBQ_URL"] = "unix:" + proxy.path();
    return call;
}

// A line to jobqd until an answer comes.
std::string ask_until_told(const std::string& path, const std::string& line) {
    while (true) {
        Wire wire(path);
        wire.reply();
        wire.ask("HELLO {\"v\":2}");
        std::string answer = wire.ask(line);
        if (answer != "(closed)") return answer;
    }
}

}  // namespace

TEST_CASE("each job whose answers are cut runs once: enqueue, run, --jsonl, PUSH, PUSHB") {
    LiveDaemon daemon(kConfig);
    CutProxy proxy(daemon.dir() / "proxy.sock", daemon.socket(), 7, 2, 60);
    int jobs = 0;
    for (int i = 0; i < 6; ++i) {
        const std::string name = "e" + std::to_string(i);
        const std::string type = i % 2 ? "brief" : "mark";
        CHECK(run_cli(through(proxy, {"enqueue", type, "--payload", "\"" + name + "\""})).status ==
              0);
        const std::string script = "echo r" + std::to_string(i) + " >> " + (daemon.dir() / "ran");
        CHECK(run_cli(through(proxy, {"run", "--id", "job-number-" + std::to_string(i), "--", "sh",
                                      "-c", script}))
                  .status == 0);
        jobs += 2;
    }
    std::string lines;
    for (int i = 0; i < 30; ++i, ++jobs)
        lines += R"({"type":"mark","payload":"l)" + std::to_string(i) + "\"" +
                 (i % 2 ? R"(,"id":"line-number-)" + std::to_string(i) + "\"" : "") + "}\n";
    CHECK(run_cli(through(proxy, {"enqueue", "--jsonl", "-", "-q"}, lines)).status == 0);
    for (int i = 0; i < 6; ++i, jobs += 3) {
        const std::string n = std::to_string(i);
        const auto job = [&n](const std::string& name) {
            return R"({"jid":"pushed-)" + name + n + R"(","jobtype":"mark","args":[")" + name + n +
                   R"("]})";
        };
        CHECK(ask_until_told(proxy.path(), "PUSH " + job("p")) == "+OK");
        CHECK(ask_until_told(proxy.path(), "PUSHB [" + job("b") + "," + job("c") + "]") == "{}");
    }
    CHECK(eventually([&] { return daemon.unfinished() == 0; }, std::chrono::seconds(20)));
    const auto runs = runs_of(daemon);
    CHECK(int(runs.size()) == jobs);
    CHECK(total(runs) == jobs);
    CHECK(proxy.cuts() >= 5);
}

TEST_CASE("each job whose answers are cut runs once: HTTP, one and many") {
    LiveDaemon daemon(kConfig);
    CutProxy proxy(daemon.dir() / "proxy.sock", daemon.dir() / "http.sock", 11, 2, 60);
    const auto post = [&](const std::string& target, const std::string& body,
                          std::vector<std::string> headers) {
        while (true)
            try {
                HttpClient client(proxy.path());
                const auto answer = client.ask("POST", target, body, headers);
                if (answer.status != 0) return answer.status;
            } catch (const std::exception&) {  // cut
            }
    };
    int jobs = 0;
    for (int i = 0; i < 8; ++i, ++jobs) {
        const std::string n = std::to_string(i);
        CHECK(post("/api/v1/jobs", R"({"type":"brief","payload":"k)" + n + "\"}",
                   {"Idempotency-Key: order-" + n}) /
                  100 ==
              2);
    }
    std::string lines;
    for (int i = 0; i < 8; ++i, ++jobs)
        lines += R"({"type":"mark","payload":"m)" + std::to_string(i) + R"(","jid":"bulk-job-)" +
                 std::to_string(i) + "\"}\n";
    for (int i = 0; i < 4; ++i)
        CHECK(post("/api/v1/jobs:bulk", lines, {"Content-Type: application/jsonl"}) == 200);
    CHECK(eventually([&] { return daemon.unfinished() == 0; }, std::chrono::seconds(20)));
    CHECK(total(runs_of(daemon)) == jobs);
    CHECK(int(runs_of(daemon).size()) == jobs);
    CHECK(proxy.cuts() >= 3);
}

TEST_CASE("an id is one job while its record is kept, and runs once more by a word alone") {
    LiveDaemon daemon(kConfig);
    const std::vector<std::string> call{"enqueue",      "mark",      "--id",
                                        "the-only-one", "--payload", "\"x\""};
    daemon.must(call);
    REQUIRE(daemon.jobq({"wait", "the-only-one"}).status == 0);
    const Ran second = daemon.jobq(call);
    CHECK(second.status == 0);
    CHECK(contains(second.err, "is succeeded"));
    CHECK(contains(second.err, "--again"));
    CHECK(daemon.jobq({"enqueue", "mark", "--id", "the-only-one", "--payload", "\"another\""})
              .status == 4);
    auto again = call;
    again.emplace_back("--again");
    CHECK(json::parse(daemon.must([&] {
              auto told = again;
              told.insert(told.end(), {"-o", "json"});
              return told;
          }()))["how"] == "stored");
    REQUIRE(daemon.jobq({"wait", "the-only-one"}).status == 0);
    CHECK(total(runs_of(daemon)) == 2);
    CHECK(daemon.jobq({"enqueue", "mark", "--again"}).status == 2);
}

}  // namespace jobq::test
