// The runner as a process, against a scripted jobqd: take, run, report, and every way of losing one
// another.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/daemon/fake_jobqd.h"
#include "tests/support/poll.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;
using nlohmann::json;

namespace {

struct Setup {
    TempDir dir;
    RunnerOptions options;
    std::unique_ptr<RunnerProcess> runner;
    std::unique_ptr<FakeJobqd> jobqd;

    Setup() {
        options.endpoint = "unix:" + (dir / "s");
        options.name = "local-runner";
        options.hostname = "here";
        options.beat_wait_ms = 200;
    }

    // The runner first: it must not inherit the server's descriptors by fork.
    void start(const json& assignment = shell_assignment(2, {})) {
        runner = std::make_unique<RunnerProcess>(options);
        jobqd = std::make_unique<FakeJobqd>(dir / "s");
        jobqd->assignment = assignment;
    }

    // What it says, as it is another process: in a file.
    void keep_log() {
        options.on_log = [path = dir / "said"](LogLevel, std::string_view event,
                                               const std::string&) {
            std::ofstream(path, std::ios::app) << event << '\n';
        };
    }

    bool said(const std::string& event) const {
        return read_file(dir / "said").find(event + "\n") != std::string::npos;
    }

    json done(const std::string& jid) {
        REQUIRE(jobqd->until([&] { return jobqd->done_of(jid) != nullptr; }));
        return *jobqd->done_of(jid);
    }

    void await_file(const std::string& name) {
        REQUIRE(jobqd->until([&] { return !read_file(dir / name).empty(); }));
    }

    // For scripts: goes on when the test has made the file.
    std::string hold(const std::string& name) const {
        return "while [ ! -e " + (dir / name) + " ]; do sleep 0.01; done";
    }
};

bool alive(int pid) {
    return kill(pid, 0) == 0;
}

bool lists(const json& beat, const std::string& jid) {
    for (const auto& job : beat["running"])
        if (job["jid"] == jid && job["token"] == "t-" + jid) return true;
    return false;
}

}  // namespace

TEST_CASE("a runner takes a job, runs it and reports it whole") {
    Setup s;
    s.start(shell_assignment(2, {{"up", "tr a-z A-Z; echo working >&2"}}));
    s.jobqd->give("j1", "up", "\"hi\"");
    auto report = s.done("j1");
    CHECK(report["token"] == "t-j1");
    CHECK(report["outcome"] == "success");
    CHECK(report["result"] == "\"HI\"");
    CHECK(report["result_json"] == true);
    CHECK(report["log"] == "working\n");
    CHECK(report["exit_code"] == 0);
    CHECK(report["worker"] == "local-runner");
    CHECK(report["max_rss_kib"] > 0);
    for (const auto& hello : s.jobqd->hellos) {
        CHECK(hello["wid"] == "local-runner");
        CHECK(hello["jobq"] == 1);
        CHECK(hello["hostname"] == "here");
    }
    CHECK(s.jobqd->takes[0]["pool"] == "main");
    CHECK(s.jobqd->takes[0]["queues"] == json::array({"default"}));
}

TEST_CASE("bytes that are not text come back in base 64") {
    Setup s;
    s.start(shell_assignment(1, {{"raw", "printf '\\377\\000x'"}}));
    s.jobqd->give("j1", "raw");
    auto report = s.done("j1");
    CHECK(report["result_b64"] == "/wB4");
    CHECK_FALSE(report.contains("result"));
    CHECK_FALSE(report.contains("result_json"));
}

TEST_CASE("a runner never runs more than it has slots and asks for no more") {
    Setup s;
    s.start(
        shell_assignment(2, {{"held", "echo x >> " + (s.dir / "started") + "; " + s.hold("go")}}));
    for (auto jid : {"j1", "j2", "j3", "j4", "j5"})
        s.jobqd->give(jid, "held");
    REQUIRE(s.jobqd->until([&] { return read_file(s.dir / "started").size() == 4; }));
    CHECK(s.jobqd->jobs.size() == 3);
    s.dir.write("go", "1");
    for (auto jid : {"j1", "j2", "j3", "j4", "j5"})
        CHECK(s.done(jid)["outcome"] == "success");
    for (const auto& take : s.jobqd->takes)
        CHECK(take["count"] <= 2);
}

TEST_CASE("what the assignment does not run goes back, with why, and spends no attempt") {
    Setup s;
    auto assignment = shell_assignment(2, {});
    assignment["run_allowed"] = false;
    s.start(assignment);
    s.jobqd->give("j1", "mystery");
    s.jobqd->give("j2", "run", R"({"argv":["/bin/true"]})");
    CHECK(s.done("j1")["outcome"] == "released");
    CHECK(s.done("j2")["outcome"] == "released");
    CHECK(s.done("j1")["message"] ==
          "no handler for type 'mystery'; add [type.mystery] run = [...] to the configuration");
    CHECK_THAT(s.done("j2")["message"].get<std::string>(), Catch::Contains("[run]"));
}

TEST_CASE("a runner says which configuration it goes by, and waits for the next when refused") {
    Setup s;
    s.start();
    REQUIRE(s.jobqd->until([&] { return !s.jobqd->takes.empty(); }));
    CHECK(s.jobqd->takes.back()["config"] == "1");
    s.jobqd->assignment = shell_assignment(2, {{"fresh", "true"}});
    s.jobqd->version = "2";
    s.jobqd->wake();
    s.jobqd->give("j1", "fresh");
    CHECK(s.done("j1")["outcome"] == "success");
    CHECK(s.jobqd->takes.back()["config"] == "2");
}

TEST_CASE("jobs that were taken ahead and go back are not overtaken by those behind them") {
    Setup s;
    s.start(shell_assignment(1, {{"quick", "exit 0"}, {"held", s.hold("go")}}));
    s.jobqd->take_ms = 5;  // long for jobs so short: many are taken ahead
    for (int i = 0; i < 80; ++i)
        s.jobqd->give("first-" + std::to_string(i), "quick");
    s.done("first-79");
    s.jobqd->give("held", "held");
    for (int i = 0; i < 60; ++i)
        s.jobqd->give("next-" + std::to_string(i), "quick");
    const auto released = [&] {
        std::vector<std::string> jids;
        for (const auto& report : s.jobqd->done)
            if (report["outcome"] == "released") jids.push_back(report["jid"]);
        return jids;
    };
    REQUIRE(s.jobqd->until([&] { return !released().empty(); }));
    CHECK(released().front() == "next-0");
    const size_t behind = s.jobqd->jobs.size();
    REQUIRE(behind > 0);
    // That job runs on: none of them is taken ahead.
    CHECK_FALSE(s.jobqd->until([&] { return s.jobqd->jobs.size() != behind; }, 600));
    s.dir.write("go", "");
    CHECK(s.done("next-59")["outcome"] == "success");
}

TEST_CASE("output is there to read while the job runs, and complete before its report") {
    Setup s;
    s.start(shell_assignment(1, {{"talk", "echo one; echo log >&2; " + s.hold("go") +
                                              "; printf 'two \\342\\202\\254'"}}));
    s.jobqd->give("j1", "talk");
    REQUIRE(s.jobqd->until([&] { return s.jobqd->output_of("j1", "stdout") == "one\n"; }));
    REQUIRE(s.jobqd->until([&] { return s.jobqd->output_of("j1", "stderr") == "log\n"; }));
    CHECK(s.jobqd->done.empty());
    s.dir.write("go", "1");
    CHECK(s.done("j1")["result"] == "one\ntwo \xe2\x82\xac");
    CHECK(s.jobqd->output_of("j1", "stdout") == "one\ntwo \xe2\x82\xac");
}

TEST_CASE("output whose answer was cut is sent again, and its job is not held up") {
    Setup s;
    s.start(shell_assignment(1, {{"long", "head -c 1048576 /dev/zero | tr '\\0' x; printf end"}}));
    s.jobqd->cut_outputs = 2;
    s.jobqd->give("j1", "long");
    CHECK(s.done("j1")["outcome"] == "success");
    CHECK(s.jobqd->cut_outputs == 0);
    int64_t end = 0;
    for (const auto& chunk : s.jobqd->outputs)
        end = std::max(
            end, chunk["offset"].get<int64_t>() + int64_t(chunk["text"].get<std::string>().size()));
    CHECK(end == (1 << 20) + 3);
}

TEST_CASE("an answer about room that can't be read is not asked for again in a rush") {
    Setup s;
    s.start(shell_assignment(
        1, {{"long", "echo one; " + s.hold("more") + "; echo two; " + s.hold("end")}}));
    s.jobqd->no_room = true;
    s.jobqd->give("j1", "long");
    REQUIRE(s.jobqd->until([&] { return !s.jobqd->outputs.empty(); }));
    s.dir.write("more", "x");
    REQUIRE(s.jobqd->until([&] { return s.jobqd->waits_for_room > 0; }));
    CHECK_FALSE(s.jobqd->until([&] { return s.jobqd->waits_for_room > 30; }, 1'000));
    s.dir.write("end", "x");
    CHECK(s.done("j1")["outcome"] == "success");
}

TEST_CASE("a cancel notice stops the job at once and reports it cancelled") {
    Setup s;
    s.start(shell_assignment(1, {{"long", "echo up > " + (s.dir / "up") + "; sleep 1000"}}));
    s.jobqd->give("j1", "long");
    s.await_file("up");
    s.jobqd->cancel = {"j1"};
    s.jobqd->wake();
    CHECK(s.done("j1")["outcome"] == "cancelled");
}

TEST_CASE("a job that is lost is killed and nothing is reported of it") {
    Setup s;
    s.start(shell_assignment(
        1, {{"long", "trap '' TERM; echo $$ > " + (s.dir / "pid") + "; while :; do sleep 1; done"},
            {"next", "exit 0"}}));
    s.jobqd->give("j1", "long");
    s.await_file("pid");
    int pid = std::stoi(read_file(s.dir / "pid"));
    REQUIRE(s.jobqd->until([&] { return lists(s.jobqd->beats.back(), "j1"); }));
    s.jobqd->lost = {"j1"};
    s.jobqd->wake();
    REQUIRE(s.jobqd->until([&] { return !alive(pid); }));
    s.jobqd->give("j2", "next");
    s.done("j2");
    CHECK(s.jobqd->done_of("j1") == nullptr);
}

TEST_CASE("jobs go on while jobqd is away, are claimed again and reported to the next one") {
    Setup s;
    s.start(shell_assignment(2, {{"ends", s.hold("go1") + "; echo ended; exit 7"},
                                 {"stays", "echo before; echo up > " + (s.dir / "up") + "; " +
                                               s.hold("go2") + "; echo after"}}));
    s.jobqd->give("j1", "ends");
    s.jobqd->give("j2", "stays");
    s.await_file("up");
    REQUIRE(s.jobqd->until([&] { return s.jobqd->output_of("j2", "stdout") == "before\n"; }));
    s.jobqd->cut();
    s.jobqd->beats.clear();
    s.jobqd->outputs.clear();
    s.dir.write("go1", "1");
    // Nobody is there for a while, for more than one try to connect.
    REQUIRE_FALSE(s.jobqd->until([&] { return !s.jobqd->done.empty(); }, 400));
    s.jobqd->open();
    auto report = s.done("j1");
    CHECK(report["exit_code"] == 7);
    CHECK(report["result"] == "ended\n");
    REQUIRE_FALSE(s.jobqd->beats.empty());
    CHECK(s.jobqd->beats[0]["wait_ms"] == 0);
    CHECK(lists(s.jobqd->beats[0], "j1"));
    CHECK(lists(s.jobqd->beats[0], "j2"));
    REQUIRE(s.jobqd->until([&] { return s.jobqd->output_of("j2", "stdout") == "before\n"; }));
    s.dir.write("go2", "1");
    CHECK(s.done("j2")["result"] == "before\nafter\n");
}

TEST_CASE("a report whose answer was cut off is sent again until it is answered") {
    Setup s;
    s.start(shell_assignment(1, {{"quick", "echo x"}}));
    int seen = 0;
    s.jobqd->on_done = [&](const json&) {
        ++seen;
        s.jobqd->on_done = [&](const json& body) {
            ++seen;
            return json{
                {"jobs",
                 {{{"jid", body["jobs"][0]["jid"]}, {"ok", false}, {"error", "UNAVAILABLE"}}}}}
                .dump();
        };
        return std::string();  // the connection is cut instead of an answer
    };
    s.jobqd->give("j1", "quick");
    CHECK(s.done("j1")["outcome"] == "success");
    CHECK(seen == 2);
}

TEST_CASE("a report that is sent again and was taken before is not said to have come too late") {
    Setup s;
    s.keep_log();
    s.start(shell_assignment(1, {{"quick", "echo x"}}));
    s.jobqd->on_done = [&](const json&) {
        s.jobqd->on_done = [&](const json&) {
            return json{{"jobs", {{{"jid", "j1"}, {"ok", false}, {"error", "LEASE_LOST"}}}}}.dump();
        };
        return std::string();  // the connection is cut instead of an answer
    };
    s.jobqd->give("j1", "quick");
    REQUIRE(s.jobqd->until([&] { return s.said("runner.report_repeated"); }));
    CHECK_FALSE(s.said("runner.report_refused"));
}

TEST_CASE("a report that comes too late is forgotten, which is said") {
    Setup s;
    s.keep_log();
    s.start(shell_assignment(1, {{"quick", "echo x"}}));
    s.jobqd->on_done = [&](const json&) {
        return json{{"jobs", {{{"jid", "j1"}, {"ok", false}, {"error", "LEASE_LOST"}}}}}.dump();
    };
    s.jobqd->give("j1", "quick");
    s.jobqd->give("j2", "quick");
    s.done("j2");
    CHECK(s.jobqd->done_of("j1") == nullptr);
    REQUIRE(s.jobqd->until([&] { return s.jobqd->beats.back()["running"].empty(); }));
    CHECK(s.said("runner.report_refused"));
}

TEST_CASE("a runner that can't renew its lease ends its jobs before the lease does") {
    Setup s;
    s.options.lease_ms = 4'000;
    s.start(shell_assignment(1, {{"stubborn", "trap '' TERM; echo $$ > " + (s.dir / "pid") +
                                                  "; while :; do sleep 0.1; done"}}));
    s.jobqd->give("j1", "stubborn");
    s.await_file("pid");
    int pid = std::stoi(read_file(s.dir / "pid"));
    s.jobqd->cut();
    int64_t cut_ms = s.jobqd->reactor.now_ms();
    REQUIRE(s.jobqd->until([&] { return !alive(pid); }));
    CHECK(s.jobqd->reactor.now_ms() - cut_ms < 4'000);
    s.jobqd->open();
    CHECK(s.done("j1")["outcome"] == "released");
}

TEST_CASE("a quiet runner takes nothing until it is told to go on") {
    Setup s;
    s.start(shell_assignment(1, {{"quick", "echo x"}}));
    s.jobqd->state = "quiet";
    REQUIRE(s.jobqd->until(
        [&] { return !s.jobqd->beats.empty() && s.jobqd->beats.back()["state"] == "quiet"; }));
    size_t takes = s.jobqd->takes.size();
    s.jobqd->give("j1", "quick");
    CHECK_FALSE(s.jobqd->until([&] { return s.jobqd->takes.size() > takes; }, 300));
    s.jobqd->state = "running";
    s.jobqd->wake();
    s.done("j1");
}

TEST_CASE("a change of the configuration changes the slots without touching what runs") {
    Setup s;
    auto types = std::vector<std::pair<std::string, std::string>>{
        {"held", "echo x >> " + (s.dir / "started") + "; " + s.hold("go")}};
    s.start(shell_assignment(1, types));
    for (auto jid : {"j1", "j2", "j3"})
        s.jobqd->give(jid, "held");
    REQUIRE(s.jobqd->until([&] { return read_file(s.dir / "started").size() == 2; }));
    s.jobqd->assignment = shell_assignment(3, types);
    s.jobqd->version = "2";
    s.jobqd->wake();
    REQUIRE(s.jobqd->until([&] { return read_file(s.dir / "started").size() == 6; }));
    CHECK(s.jobqd->pools_asked == 2);
    CHECK(s.jobqd->done.empty());
    s.dir.write("go", "1");
    CHECK(s.done("j1")["outcome"] == "success");
}

TEST_CASE("TERM lets running jobs finish, reports them and ends") {
    Setup s;
    s.start(shell_assignment(1, {{"held", "echo up > " + (s.dir / "up") + "; " + s.hold("go")}}));
    s.jobqd->give("j1", "held");
    s.await_file("up");
    s.runner->signal(SIGTERM);
    s.jobqd->give("j2", "held");
    REQUIRE(s.jobqd->until([&] { return s.jobqd->beats.back()["state"] == "quiet"; }));
    CHECK_FALSE(s.runner->ended());
    s.dir.write("go", "1");
    CHECK(s.done("j1")["outcome"] == "success");
    REQUIRE(s.jobqd->until([&] { return s.runner->ended(); }));
    CHECK(s.runner->exit_code() == 0);
    CHECK(s.jobqd->jobs.size() == 1);
}

TEST_CASE("a stopped runner offers an end that is refused for now until it is taken") {
    Setup s;
    s.start(shell_assignment(1, {{"quick", "echo x"}}));
    int64_t stopped_ms = 0;
    std::function<std::string(const json&)> refuse = [&](const json& body) {
        auto& now = s.jobqd->reactor;
        if (stopped_ms == 0) {
            s.runner->signal(SIGTERM);
            stopped_ms = now.now_ms();
        }
        // For longer than last reports take otherwise.
        if (now.now_ms() - stopped_ms > 3'000)
            return json{{"jobs", {{{"jid", "j1"}, {"ok", true}}}}}.dump();
        s.jobqd->on_done = refuse;
        return json{
            {"jobs", {{{"jid", body["jobs"][0]["jid"]}, {"ok", false}, {"error", "UNAVAILABLE"}}}}}
            .dump();
    };
    s.jobqd->on_done = refuse;
    s.jobqd->give("j1", "quick");
    REQUIRE(s.jobqd->until([&] { return s.runner->ended(); }));
    CHECK(s.jobqd->reactor.now_ms() - stopped_ms > 3'000);
    CHECK(s.runner->exit_code() == 0);
}

TEST_CASE("a second TERM, the stop timeout and a terminate notice give the jobs back") {
    auto way = GENERATE("second", "timeout", "notice");
    CAPTURE(way);
    Setup s;
    if (way != std::string("second")) s.options.stop_timeout_ms = 200;
    s.start(shell_assignment(1, {{"long", "echo $$ > " + (s.dir / "pid") + "; sleep 1000"}}));
    s.jobqd->give("j1", "long");
    s.await_file("pid");
    int pid = std::stoi(read_file(s.dir / "pid"));
    if (way == std::string("notice")) {
        s.jobqd->state = "terminate";
        s.jobqd->wake();
    } else {
        s.runner->signal(SIGTERM);
    }
    if (way == std::string("second")) {
        REQUIRE(s.jobqd->until([&] { return s.jobqd->beats.back()["state"] == "quiet"; }));
        s.runner->signal(SIGTERM);
    }
    CHECK(s.done("j1")["outcome"] == "released");
    REQUIRE(s.jobqd->until([&] { return s.runner->ended(); }));
    CHECK(s.runner->exit_code() == 0);
    CHECK_FALSE(alive(pid));
}

TEST_CASE("when the runner is killed its jobs and all they started are gone with it") {
    Setup s;
    s.start(shell_assignment(
        1, {{"tree", "echo $$ > " + (s.dir / "pid") + "; sleep 1000 & echo $! > " +
                         (s.dir / "grand") + "; sh -c 'trap \"\" TERM HUP; sleep 999; :'; wait"}}));
    s.jobqd->give("j1", "tree");
    s.await_file("grand");
    int pid = std::stoi(read_file(s.dir / "pid"));
    int grandchild = std::stoi(read_file(s.dir / "grand"));
    CHECK(alive(grandchild));
    s.runner->signal(SIGKILL);
    auto gone = [](int process) {
        // Until init reaps them they are there as zombies.
        std::string stat = read_file("/proc/" + std::to_string(process) + "/stat");
        return stat.empty() || stat.find(") Z ") != std::string::npos;
    };
    CHECK(s.jobqd->until([&] { return gone(pid) && gone(grandchild); }, 1'000));
}

TEST_CASE("a runner without jobs whose jobqd stays away ends by itself") {
    Setup s;
    s.options.exit_when_gone_ms = 300;
    s.start();
    REQUIRE(s.jobqd->until([&] { return !s.jobqd->takes.empty(); }));
    s.jobqd->cut();
    CHECK(s.jobqd->until([&] { return s.runner->ended(); }));
    CHECK(s.runner->exit_code() == 0);
}

TEST_CASE("pools and types given to the runner are used without asking") {
    Setup s;
    Assignment own;
    PoolSpec pool;
    pool.name = "work";
    pool.queues = {{"far", 1}};
    TypeSpec any;
    any.run = {"/bin/sh", "-c", "echo $JOBQ_TYPE"};
    own.pools = {pool};
    own.types[std::string(kAnyType)] = any;
    s.options.local = own;
    s.start();
    s.jobqd->give("j1", "whatever");
    CHECK(s.done("j1")["result"] == "whatever\n");
    CHECK(s.jobqd->pools_asked == 0);
    CHECK(s.jobqd->takes[0]["queues"] == json::array({"far"}));
}
