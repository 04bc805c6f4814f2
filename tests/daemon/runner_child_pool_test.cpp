// Child pools: the line protocol of long-lived children, and what becomes of a job whose child
// dies.
#include <signal.h>

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/daemon/fake_jobqd.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;
using nlohmann::json;

namespace {

// A child in the shell: answers by what stands in the line it got.
constexpr const char* kChild = R"(
echo start >> "$DIR/starts"
while IFS= read -r line; do
  printf '%s\n' "$line" >> "$DIR/lines"
  jid=${line#*\"jid\":\"}; jid=${jid%%\"*}
  case $line in
    *please-fail*) echo "{\"jid\":\"$jid\",\"ok\":false,\"error\":\"no luck\",\"kind\":\"Luck\"}" ;;
    *please-die*) echo "last words" >&2; kill -KILL $$ ;;
    *please-exit*) exit 0 ;;
    *please-hang*) echo up > "$DIR/up"; sleep 1000 ;;
    *please-tidy*) setsid sh "$DIR/slow" & wait ;;
    *please-never*) echo "{\"jid\":\"$jid\",\"ok\":false,\"error\":\"bad\",\"retry\":false}" ;;
    *please-nan*) echo "{\"jid\":\"$jid\",\"ok\":true,\"result\":NaN}" ;;
    *please-huge*) echo "{\"jid\":\"$jid\",\"ok\":true,\"result\":1e400}" ;;
    *please-latin*) printf '{"jid":"%s","ok":true,"result":"caf\351"}\n' "$jid" ;;
    *please-word*) echo "{\"jid\":\"$jid\",\"ok\":\"yes\"}" ;;
    *please-flood*) printf '{"jid":"%s","ok":true,"result":"' "$jid"
       head -c 3000000 /dev/zero | tr '\0' x; echo '"}' ;;
    *please-babble*) echo "not json"; printf '%s\n' "$line"; echo '{"jid":"other","ok":true}'
       echo "{\"jid\":\"$jid\",\"progress\":40,\"note\":\"half way\"}"
       echo "{\"jid\":\"$jid\",\"ok\":true,\"result\":[1,{\"a\":null}]}" ;;
    *) echo "log of $jid" >&2; echo "{\"jid\":\"$jid\",\"ok\":true,\"result\":$$}" ;;
  esac
done
echo end >> "$DIR/ends"
)";

struct Setup {
    TempDir dir;
    RunnerOptions options;
    std::unique_ptr<RunnerProcess> runner;
    std::unique_ptr<FakeJobqd> jobqd;

    explicit Setup(int slots = 1, const std::string& script = kChild) {
        options.endpoint = "unix:" + (dir / "s");
        options.name = "local-runner";
        auto path = dir.write("child", script);
        runner = std::make_unique<RunnerProcess>(options);
        jobqd = std::make_unique<FakeJobqd>(dir / "s");
        auto assignment = shell_assignment(slots, {});
        assignment["pools"][0]["kind"] = "child";
        assignment["pools"][0]["run"] = {"/bin/sh", path};
        assignment["pools"][0]["env"] = {{"DIR", dir.path()}};
        assignment["types"]["t"] = {{"grace_ms", 200}};
        jobqd->assignment = assignment;
    }

    json done(const std::string& jid) {
        REQUIRE(jobqd->until([&] { return jobqd->done_of(jid) != nullptr; }));
        return *jobqd->done_of(jid);
    }

    int starts() const {
        std::istringstream lines(read_file(dir / "starts"));
        int count = 0;
        for (std::string line; std::getline(lines, line);)
            ++count;
        return count;
    }
};

}  // namespace

TEST_CASE("a child takes one job after the other and answers each") {
    Setup s;
    s.jobqd->give("j1", "t", "{\"a\":\n [1, 2]}");
    s.jobqd->give("j2", "t");
    auto first = s.done("j1");
    auto second = s.done("j2");
    CHECK(first["outcome"] == "success");
    CHECK(first["result_json"] == true);
    CHECK(first["result"] == second["result"]);  // its pid: one process
    CHECK(first["log"] == "log of j1\n");
    CHECK(second["log"] == "log of j2\n");
    CHECK(s.starts() == 1);
    auto line = read_file(s.dir / "lines");
    auto sent = json::parse(line.substr(0, line.find('\n')));
    CHECK(sent == json{{"jid", "j1"},
                       {"type", "t"},
                       {"queue", "default"},
                       {"attempt", 1},
                       {"deadline", "2030-01-01T00:00:00Z"},
                       {"args", {{"a", {1, 2}}}}});
}

TEST_CASE("a child's refusals are failures with its words, or dead at once") {
    Setup s;
    s.jobqd->give("j1", "t", "\"please-fail\"");
    s.jobqd->give("j2", "t", "\"please-never\"");
    auto failed = s.done("j1");
    CHECK(failed["outcome"] == "failure");
    CHECK(failed["error_type"] == "Luck");
    CHECK(failed["message"] == "no luck");
    auto dead = s.done("j2");
    CHECK(dead["outcome"] == "dead");
    CHECK(dead["message"] == "bad");
    CHECK(s.starts() == 1);
}

TEST_CASE("an answer that can't be read ends its job with the reason, and not the child") {
    Setup s;
    int number = 0;
    for (const char* way : {"nan", "huge", "latin", "word", "flood"}) {
        CAPTURE(way);
        const std::string jid = "bad" + std::to_string(++number);
        s.jobqd->give(jid, "t", "\"please-" + std::string(way) + "\"");
        auto failed = s.done(jid);
        CHECK(failed["outcome"] == "failure");
        CHECK(failed["error_type"] == "bad answer");
        CHECK_THAT(failed["message"].get<std::string>(), Catch::Contains("can't be read"));
    }
    s.jobqd->give("good", "t");
    CHECK(s.done("good")["outcome"] == "success");
    CHECK(s.starts() == 1);
}

TEST_CASE("what is no answer is noted in the log, progress too, and the job goes on") {
    Setup s;
    s.jobqd->give("j1", "t", "\"please-babble\"");
    auto report = s.done("j1");
    CHECK(report["outcome"] == "success");
    CHECK(report["result"] == "[1,{\"a\":null}]");
    CHECK_THAT(report["log"].get<std::string>(),
               Catch::Contains("ignored on stdout") && Catch::Contains("progress 40% half way\n"));
}

TEST_CASE("a child that dies is a crash of the job it held, and is started again") {
    auto way = GENERATE("please-die", "please-exit");
    CAPTURE(way);
    Setup s;
    s.jobqd->give("j1", "t", "\"" + std::string(way) + "\"");
    auto report = s.done("j1");
    CHECK(report["outcome"] == "crash");
    if (way == std::string("please-die")) {
        CHECK(report["error_type"] == "signal SIGKILL");
        CHECK(report["message"] == "last words");
        CHECK(report["signal"] == SIGKILL);
    } else {
        CHECK(report["error_type"] == "exit 0");
    }
    s.jobqd->give("j2", "t");
    CHECK(s.done("j2")["outcome"] == "success");
    CHECK(s.starts() == 2);
}

TEST_CASE("a job in a child that takes too long, or is cancelled, ends with its child") {
    auto way = GENERATE("timeout", "cancelled");
    CAPTURE(way);
    Setup s;
    json more{{"timeout_ms", way == std::string("timeout") ? 300 : 30'000}};
    s.jobqd->give("j1", "t", "\"please-hang\"", more);
    if (way == std::string("cancelled")) {
        REQUIRE(s.jobqd->until([&] { return !read_file(s.dir / "up").empty(); }));
        s.jobqd->cancel = {"j1"};
        s.jobqd->wake();
    }
    CHECK(s.done("j1")["outcome"] == way);
    s.jobqd->give("j2", "t");
    CHECK(s.done("j2")["outcome"] == "success");
}

TEST_CASE("what a child started for a job has the job's grace too, then nothing of it is left") {
    Setup s;
    s.jobqd->assignment["types"]["t"]["grace_ms"] = 10'000;
    s.dir.write("slow",
                "trap 'sleep 0.3; echo tidied > \"$DIR/tidied\"; exit' TERM\n"
                "echo $$ > \"$DIR/up\"; while :; do sleep 0.02; done\n");
    s.jobqd->give("j1", "t", "\"please-tidy\"");
    REQUIRE(s.jobqd->until([&] { return !read_file(s.dir / "up").empty(); }));
    const int pid = std::stoi(read_file(s.dir / "up"));
    s.jobqd->cancel = {"j1"};
    s.jobqd->wake();
    CHECK(s.done("j1")["outcome"] == "cancelled");
    CHECK(read_file(s.dir / "tidied") == "tidied\n");
    CHECK(kill(pid, 0) != 0);
    s.jobqd->give("j2", "t");
    CHECK(s.done("j2")["outcome"] == "success");
}

TEST_CASE("several children work side by side") {
    Setup s(2);
    s.jobqd->give("j1", "t", "\"please-hang\"");
    REQUIRE(s.jobqd->until([&] { return !read_file(s.dir / "up").empty(); }));
    s.jobqd->give("j2", "t");
    CHECK(s.done("j2")["outcome"] == "success");
    CHECK(s.jobqd->done_of("j1") == nullptr);
}

TEST_CASE("a child that ends at its start spends no attempt and is not tried in a rush") {
    Setup s(1, "echo x >> \"$DIR/starts\"; exit 3");
    s.jobqd->give("j1", "t");
    REQUIRE(s.jobqd->until([&] { return s.starts() == 3; }));
    int64_t from_ms = s.jobqd->reactor.now_ms();
    REQUIRE(s.jobqd->until([&] { return s.starts() == 4; }));
    CHECK(s.jobqd->reactor.now_ms() - from_ms >= 300);  // 100, 200, 400 ms
    // Between start and end a child may be given the job, but never reads it: no attempt is spent.
    for (const auto& report : s.jobqd->done)
        CHECK(report["outcome"] == "released");
}

TEST_CASE("the children end with the runner") {
    Setup s;
    s.jobqd->give("j1", "t");
    int pid = std::stoi(s.done("j1")["result"].get<std::string>());
    s.runner->signal(SIGTERM);
    REQUIRE(s.jobqd->until([&] { return s.runner->ended(); }));
    CHECK(s.runner->exit_code() == 0);
    CHECK(kill(pid, 0) != 0);
}
