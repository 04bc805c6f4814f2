// ProcessJob with real processes: the exec contract from payload to report.
// One attempt on one loop, without a jobqd.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "tests/daemon/process_bench.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using namespace jobq::test;

namespace {

bool alive(int pid) {
    return kill(pid, 0) == 0;
}

size_t own_rss_kib() {
    std::ifstream status("/proc/self/status");
    std::string line;
    while (std::getline(status, line))
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    return 0;
}

}  // namespace

TEST_CASE("an exec job gets its payload on stdin byte for byte, stdout is its result") {
    Bench bench;
    std::string payload = "{ \"a\" : [1,2,\n 3] }";
    auto report = bench.all(shell("cat; echo progress >&2"), payload);
    CHECK(report.outcome == Outcome::success);
    CHECK(report.result == payload);
    CHECK(report.result_is_json);
    CHECK(report.log == "progress\n");
    CHECK(report.exit_code == 0);
    CHECK(report.error_type.empty());
    CHECK(report.ended_ms >= report.started_ms);
    CHECK(report.max_rss_kib > 0);
    CHECK(bench.outputs >= 2);
}

TEST_CASE("a payload of a megabyte passes through a job that reads it late") {
    Bench bench;
    std::string payload = "\"" + std::string(1'000'000, 'x') + "\"";
    auto report = bench.all(shell("sleep 0.1; wc -c"), payload);
    CHECK(report.result == "1000002\n");
}

TEST_CASE("a job that does not read its payload is not disturbed by it") {
    Bench bench;
    auto report = bench.all(shell("exec <&-; echo done"), std::string(300'000, '1'));
    CHECK(report.outcome == Outcome::success);
    CHECK(report.result == "done\n");
}

TEST_CASE("the exit status decides by default: 0, 75, 100, others, signals") {
    struct Row {
        const char* script;
        Outcome outcome;
        const char* error_type;
    };

    auto row = GENERATE(
        Row{"exit 0", Outcome::success, ""}, Row{"exit 75", Outcome::failure, "exit 75"},
        Row{"exit 100", Outcome::dead, "exit 100"}, Row{"exit 7", Outcome::failure, "exit 7"},
        Row{"kill -SEGV $$", Outcome::crash, "signal SIGSEGV"},
        Row{"kill -KILL $$", Outcome::crash, "signal SIGKILL"});
    CAPTURE(row.script);
    Bench bench;
    auto report = bench.all(shell(row.script));
    CHECK(report.outcome == row.outcome);
    CHECK(report.error_type == row.error_type);
}

TEST_CASE("the type's own exit map wins, and the message is the last line of stderr") {
    Bench bench;
    auto type = shell("echo first >&2; printf 'disk \\033[31mfull\\n\\n  \\n' >&2; exit 3");
    type.exit = {{3, Outcome::dead}};
    auto report = bench.all(type);
    CHECK(report.outcome == Outcome::dead);
    CHECK(report.exit_code == 3);
    CHECK_THAT(report.message, Catch::StartsWith("disk ") && Catch::EndsWith("full"));
    CHECK(report.message.find('\033') == std::string::npos);
}

TEST_CASE("the environment of a job is exactly the contract's and the configuration's") {
    Bench bench;
    auto type = shell("exec /usr/bin/env");
    type.run = {"/usr/bin/env"};
    type.env = {{"LANG", "de_DE.UTF-8"},
                {"MAIL_HOST", "mx.example"},
                {"JOBQ_JID", "forged"},
                {"SHELL", "/bin/sh"}};
    const std::string who = getpwuid(geteuid())->pw_name;
    setenv("LD_PRELOAD_TEST_SECRET", "leak", 1);
    const char* home = getenv("HOME");
    auto report = bench.all(type);
    CHECK(report.result == "HOME=" + std::string(home ? home : "/root") +
                               "\n"
                               "JOBQ_ATTEMPT=2\n"
                               "JOBQ_DEADLINE=2030-01-01T00:00:00Z\n"
                               "JOBQ_JID=jid-0000001\n"
                               "JOBQ_MAX_ATTEMPTS=5\n"
                               "JOBQ_QUEUE=low\n"
                               "JOBQ_TRACEPARENT=\n"
                               "JOBQ_TYPE=script\n"
                               "LANG=de_DE.UTF-8\n"
                               "LOGNAME=" +
                               who +
                               "\n"
                               "MAIL_HOST=mx.example\n"
                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                               "SHELL=/bin/sh\n"
                               "USER=" +
                               who + "\n");
}

TEST_CASE("a payload is one whole argument where the template says so, never a shell's text") {
    Bench bench;
    TypeSpec type;
    type.run = {"/usr/bin/printf", "%s|", "x{payload}", "{payload}"};
    auto report = bench.all(type, "\"; rm -rf /tmp/x $(id) --help\"");
    CHECK(report.result == "x{payload}|\"; rm -rf /tmp/x $(id) --help\"|");
}

TEST_CASE("a job over its time limit is stopped, and killed when it ignores TERM") {
    Bench bench;
    auto type = shell("trap '' TERM; sleep 1000 & sleep 1000; sleep 1000");
    type.grace_ms = 150;
    bench.start(type, "{}", 200);
    int pid = bench.run->pid();
    auto report = bench.finish();
    CHECK(report.outcome == Outcome::timeout);
    CHECK(report.error_type == "timeout");
    CHECK(report.message == "still running after 200ms");
    CHECK(report.signal == SIGKILL);
    CHECK(report.ended_ms - report.started_ms >= 350);
    CHECK_FALSE(alive(pid));
}

TEST_CASE("a job that heeds TERM has its grace to write its last words") {
    Bench bench;
    auto type = shell("trap 'echo bye >&2; exit 0' TERM; echo up; while :; do sleep 0.02; done");
    bench.start(type, "{}", 300);
    auto report = bench.finish();
    CHECK(report.outcome == Outcome::timeout);
    CHECK(report.exit_code == 0);
    CHECK_THAT(report.log, Catch::EndsWith("bye\n"));  // the shell reports its sleep before
}

TEST_CASE("cancel, release and lost end a running job with their own outcomes") {
    TempDir dir;
    auto [reason, outcome] = GENERATE(std::pair(StopReason::cancel, Outcome::cancelled),
                                      std::pair(StopReason::release, Outcome::released));
    Bench bench;
    bench.start(shell("echo up > " + (dir / "up") + "; exec sleep 1000"));
    bench.await_file(dir / "up");
    bench.run->stop(reason);
    bench.run->stop(StopReason::timeout);  // the first reason stays
    auto report = bench.finish();
    CHECK(report.outcome == outcome);
    CHECK(report.signal == SIGTERM);
}

TEST_CASE("a stopped (SIGSTOP) job is ended too") {
    Bench bench;
    bench.start(shell("kill -STOP $$"), "{}", 200);
    CHECK(bench.finish().outcome == Outcome::timeout);
}

TEST_CASE("what a job leaves behind is gone with it: background, setsid and double fork") {
    const char* way = GENERATE("sleep 1000 & echo $!", "setsid sleep 1000 & echo $!",
                               "(setsid sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000' &)");
    CAPTURE(way);
    TempDir dir;
    Bench bench;
    auto file = dir / "pid";
    std::string script = std::string("{ ") + way + "; } > " + file + " 2>/dev/null; while [ ! -s " +
                         file + " ]; do sleep 0.01; done";
    auto report = bench.all(shell(script));
    CHECK(report.outcome == Outcome::success);
    int pid = std::stoi(read_file(file));
    CHECK(loop_until(bench.reactor, [&] { return !alive(pid) && bench.sweeper.clean(); }));
}

TEST_CASE("a grandchild that holds the pipes delays the end by a grace only") {
    TempDir dir;
    Bench bench;
    auto report = bench.all(shell("echo out; setsid sleep 1000 & echo $! > " + (dir / "pid")));
    CHECK(report.outcome == Outcome::success);
    CHECK(report.result == "out\n");
    int pid = std::stoi(read_file(dir / "pid"));
    CHECK(loop_until(bench.reactor, [&] { return !alive(pid); }));
}

TEST_CASE("a kill after the exit cuts the wait for the pipes short and keeps the outcome") {
    TempDir dir;
    Bench bench;
    bench.start(shell("setsid sleep 1000 & echo $! > " + (dir / "pid") + "; exit 7"));
    int leader = bench.run->pid();
    REQUIRE(loop_until(bench.reactor, [&] { return !alive(leader); }));
    CHECK(bench.ends == 0);
    bench.run->kill(StopReason::release);
    CHECK(bench.ends == 0);  // never inside kill()
    auto report = bench.finish(1'000);
    CHECK(report.outcome == Outcome::failure);
    CHECK(report.exit_code == 7);
    int pid = std::stoi(read_file(dir / "pid"));
    CHECK(loop_until(bench.reactor, [&] { return !alive(pid); }));
}

TEST_CASE("a job whose output nobody takes waits at its pipes, and loses nothing when it goes on") {
    Bench bench;
    bench.events.on_output = [](JobRun&) {};  // no word of jobqd
    bench.start(shell("seq 1 200000; echo end >&2"));
    REQUIRE(loop_until(bench.reactor, [&] { return bench.run->output.full(); }));
    std::string got;
    const auto take = [&] {
        bench.run->output.set_room(1 << 20);
        for (const auto& piece : bench.run->output.take(64 << 10))
            if (piece.stream == OutputStream::out) got += piece.bytes;
        bench.run->output.arrived();
        bench.run->read_output(!bench.run->output.full());
        return bench.report.has_value();
    };
    REQUIRE(loop_until(bench.reactor, take));
    for (const auto& piece : bench.run->output.take_rest())
        if (piece.stream == OutputStream::out) got += piece.bytes;
    std::string all;
    for (int i = 1; i <= 200'000; ++i)
        all += std::to_string(i) + "\n";
    CHECK(got == all);
    CHECK(bench.report->log == "end\n");
}

TEST_CASE("long JSON is refused whole, and what only looks like it in the beginning is cut") {
    Bench bench;
    auto json = bench.all(shell("printf '{\"a]\":[1'; seq -f ,%g 2 50000; printf ']}\\n'"));
    CHECK(json.result.empty());
    CHECK(json.result_is_json);
    CHECK(json.result_cut.at == 0);
    CHECK(json.result_cut.bytes > 200'000);
    Bench other;
    auto text = other.all(shell("echo '[info] begin'; seq 1 50000; echo '[info] end'"));
    CHECK_FALSE(text.result_is_json);
    CHECK(text.result_cut.at > 30'000);
    CHECK_THAT(text.result, Catch::StartsWith("[info] begin\n") && Catch::EndsWith("[info] end\n"));
    Bench failed;
    auto lost = failed.all(shell("printf '['; seq -s, 1 50000; printf ']'; exit 1"));
    CHECK_THAT(lost.result, Catch::StartsWith("[1,2,3") && Catch::EndsWith("\n]"));
}

TEST_CASE("ten megabytes of output are cut in the middle, and said so, in flat memory") {
    Bench bench;
    size_t before = own_rss_kib();
    auto report =
        bench.all(shell("echo START; head -c 10000000 /dev/zero | tr '\\0' 'x'; echo; echo END"));
    CHECK(report.outcome == Outcome::success);
    CHECK(report.result.size() < 66'000);
    CHECK_THAT(report.result, Catch::StartsWith("START\nxxx") && Catch::EndsWith("xxx\nEND\n"));
    // START\n + 10,000,000 + \n + END\n, less head and tail
    CHECK(report.result_cut == LeftOut{32 << 10, 9'934'475});
    CHECK_FALSE(report.result_is_json);
#ifdef JOBQ_SANITIZED  // what was freed is kept for a while: all that was read, once
    CHECK(own_rss_kib() < before + 40'000);
#else
    CHECK(own_rss_kib() < before + 5'000);
#endif
}

TEST_CASE("limits of the type hold in the job") {
    Bench bench;
    auto type = shell("ulimit -n; ulimit -c; nice; cat /proc/self/oom_score_adj; umask");
    type.limits.files = 64;
    type.limits.nice = 4;
    CHECK(bench.all(type).result == "64\n0\n4\n500\n0022\n");
}

TEST_CASE("a job has the user's name, home and shell, its type's umask and its jobqd") {
    Bench bench;
    TakenJob job = job_with("{}");
    auto type = shell("echo $USER $LOGNAME $JOBQ_URL; test -x \"$SHELL\" && cd && umask");
    type.umask = 027;
    auto launch = launch_of(job, &type, true, "unix:/run/q");
    REQUIRE(launch);
    bench.run = std::make_unique<ProcessJob>(bench.reactor, bench.sweeper, job, type, bench.events);
    REQUIRE(bench.run->start(*launch));
    const std::string user = getpwuid(geteuid())->pw_name;
    CHECK(bench.finish().result == user + " " + user + " unix:/run/q\n0027\n");
    type.env = {{"USER", "other"}, {"JOBQ_URL", "unix:/x"}};
    launch = launch_of(job, &type, true, "unix:/run/q");
    REQUIRE(launch);
    const auto& env = launch->plan.env;
    CHECK(std::count(env.begin(), env.end(), "USER=other") == 1);
    CHECK(std::count(env.begin(), env.end(), "JOBQ_URL=unix:/x") == 1);
}

TEST_CASE("a run job executes its argv in its folder with its environment and no stdin") {
    TempDir dir;
    Bench bench;
    auto job = job_with(R"({"argv":["/bin/sh","-c","pwd; echo $A; cat; exit 9"],"cwd":")" +
                        dir.path() + R"(","env":{"A":"b c"}})");
    job.type = "run";
    auto launch = launch_of(job, nullptr, true);
    REQUIRE(launch);
    bench.run =
        std::make_unique<ProcessJob>(bench.reactor, bench.sweeper, job, TypeSpec{}, bench.events);
    REQUIRE(bench.run->start(*launch));
    auto report = bench.finish();
    CHECK(report.exit_code == 9);
    CHECK(report.result == dir.path() + "\nb c\n");
}

TEST_CASE("jobs without a handler, a permission or a command are refused with the way out") {
    auto job = job_with("{}");
    auto none = launch_of(job, nullptr, true);
    REQUIRE_FALSE(none);
    CHECK(none.error().text ==
          "no handler for type 'script'; add [type.script] run = [...] to the configuration");
    job.type = "run";
    job.payload = R"({"argv":["/bin/true"]})";
    CHECK(launch_of(job, nullptr, true));
    REQUIRE_FALSE(launch_of(job, nullptr, false));
    CHECK(launch_of(job, nullptr, false).error().code == ErrorCode::forbidden);
    for (auto bad : {"{}", "[]", "x", R"({"argv":[]})", R"({"argv":[1]})", R"({"argv":""})",
                     R"({"argv":["a\u0000b"]})", R"({"argv":["a"],"cwd":"/tmp\u0000/x"})",
                     R"({"argv":["a"],"env":{"A=B":"c"}})", R"({"argv":["a"],"env":{"":"c"}})",
                     R"({"argv":["a"],"env":{"A":"\u0000"}})",
                     R"({"argv":["a"],"env":{"A\u0000":"b"}})", R"({"argv":["a"],"umask":"9"})"}) {
        job.payload = bad;
        CAPTURE(bad);
        CHECK_FALSE(launch_of(job, nullptr, true));
    }
}
