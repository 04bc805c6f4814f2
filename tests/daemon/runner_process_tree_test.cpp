// A job is all that its first process started, whatever it made of itself: all get the TERM and the
// grace, helpers live as long as the job, and nothing is left of it.
#include <csignal>

#include "tests/daemon/process_bench.h"

using namespace jobq;
using namespace jobq::test;

namespace {

bool alive(int pid) {
    return kill(pid, 0) == 0;
}

// A script that takes its time to tidy up after TERM, with a process that must not get one.
std::string slow_script(const TempDir& dir) {
    return dir.write("slow.sh", "trap 'sleep 0.3; echo tidied > " + (dir / "out") +
                                    "; exit' TERM\necho $$ > " + (dir / "up") +
                                    "\nwhile :; do sleep 0.02; done\n");
}

}  // namespace

TEST_CASE("TERM reaches all processes of a job, and the grace lasts until all have ended") {
    const char* way = GENERATE("bash SLOW; true", "timeout 60 bash SLOW",
                               "bash -mc 'bash SLOW & wait'", "setsid bash SLOW & wait",
                               "(env -i /usr/bin/setsid /bin/bash SLOW &) ; exec sleep 1000",
                               "(env -i /usr/bin/setsid /bin/bash -c '(/bin/bash SLOW &); exec "
                               "/bin/sleep 1000' &) ; exec sleep 1000");
    CAPTURE(way);
    TempDir dir;
    Bench bench;
    std::string script = way;
    script.replace(script.find("SLOW"), 4, slow_script(dir));
    bench.start(shell(script));
    const int pid = std::stoi(bench.await_file(dir / "up"));
    bench.run->stop(StopReason::cancel);
    CHECK(bench.finish().outcome == Outcome::cancelled);
    CHECK(read_file(dir / "out") == "tidied\n");
    CHECK_FALSE(alive(pid));
}

TEST_CASE("who ignores TERM is killed at the end of the grace, also when the first is gone") {
    const char* way = GENERATE("(setsid sh HELPER &) ; exec sleep 1000", "sh HELPER & wait",
                               "(env -i /usr/bin/setsid /bin/sh HELPER &) ; exec sleep 1000");
    CAPTURE(way);
    TempDir dir;
    Bench bench;
    std::string script = way;
    script.replace(script.find("HELPER"), 6,
                   dir.write("helper.sh", "trap '' TERM\necho $$ > " + (dir / "up") +
                                              "\nwhile :; do sleep 0.02; done\n"));
    auto type = shell(script);
    type.grace_ms = 300;
    bench.start(type);
    const int pid = std::stoi(bench.await_file(dir / "up"));
    const int64_t from_ms = bench.reactor.now_ms();
    bench.run->stop(StopReason::timeout);
    const auto report = bench.finish();
    CHECK(report.outcome == Outcome::timeout);
    CHECK(report.signal == SIGTERM);
    CHECK(bench.reactor.now_ms() - from_ms >= 300);
    CHECK(loop_until(bench.reactor, [&] { return !alive(pid) && bench.sweeper.clean(); }));
}

TEST_CASE("a kill during the grace ends what is left at once") {
    TempDir dir;
    Bench bench;
    auto type = shell("(setsid sh -c 'trap \"\" TERM; echo $$ > " + (dir / "up") +
                      "; while :; do sleep 0.02; done' &) ; exec sleep 1000");
    type.grace_ms = 3'600'000;
    bench.start(type);
    const int pid = std::stoi(bench.await_file(dir / "up"));
    const int leader = bench.run->pid();
    bench.run->stop(StopReason::release);
    REQUIRE(loop_until(bench.reactor, [&] { return !alive(leader); }));
    CHECK_FALSE(bench.report);
    bench.run->kill(StopReason::none);
    CHECK_FALSE(bench.report);  // never inside kill()
    CHECK(bench.finish().outcome == Outcome::released);
    CHECK(loop_until(bench.reactor, [&] { return !alive(pid); }));
}

TEST_CASE("a helper without session and environment lives with its job, whatever else ends") {
    TempDir dir;
    Bench bench;
    const std::string start = "(env -i /usr/bin/setsid /bin/sh -c 'echo $$ > " + (dir / "h") +
                              "; exec /bin/sleep 1000' >/dev/null 2>&1 &); while [ ! -e " +
                              (dir / "go") + " ]; do sleep 0.02; done";
    bench.start(shell(start));
    const int helper = std::stoi(bench.await_file(dir / "h"));
    // Others that end make the sweeper look.
    for (int i = 0; i < 3; ++i) {
        bool over = false;
        JobRunEvents events{[](JobRun&) {}, [&](JobRun&, const RunReport&) { over = true; }};
        const auto type = shell("(setsid sleep 1000 &)");
        auto launch = launch_of(job_with("{}"), &type, true);
        ProcessJob other(bench.reactor, bench.sweeper, job_with("{}"), type, events);
        REQUIRE(other.start(*launch));
        REQUIRE(loop_until(bench.reactor, [&] { return over && bench.sweeper.clean(); }));
        CHECK(alive(helper));
    }
    dir.write("go", "");
    CHECK(bench.finish().outcome == Outcome::success);
    CHECK(loop_until(bench.reactor, [&] { return !alive(helper); }));
}
