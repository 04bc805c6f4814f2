// retry-dead against a real jobqd: by filter, and at a rate, to its end, stopped, and cut off.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/paths.h"
#include "tests/support/poll.h"

using namespace jobq::test;
using nlohmann::json;

namespace {

const std::string kConfig =
    "[pool.threads]\nkind = \"thread\"\nqueues = [\"default\"]\nslots = 2\n";

// `count` dead jobs whose queue is paused now: what is retried waits.
void make_dead(const LiveDaemon& daemon, int count, const std::string& payload) {
    const int64_t before = daemon.count("dead");
    daemon.must({"queue", "resume", "default"});
    std::string lines;
    for (int i = 0; i < count; ++i)
        lines += payload + "\n";
    daemon.must({"enqueue", "fail", "--jsonl", "-", "--max-attempts", "1", "-q"}, lines);
    REQUIRE(eventually([&] { return daemon.count("dead") == before + count; }));
    daemon.must({"queue", "pause", "default"});
}

// Runs it, and `meanwhile` beside it with its pid once it has made the first job ready.
Ran run_beside(const LiveDaemon& daemon, const std::vector<std::string>& args,
               const std::function<void(int)>& meanwhile) {
    std::thread beside;
    auto call = daemon.call(args);
    call.started = [&](int pid) {
        beside = std::thread([&, pid] {
            if (eventually([&] { return daemon.count("ready") > 0; })) meanwhile(pid);
        });
    };
    const Ran ran = run_cli(call);
    beside.join();
    return ran;
}

// More than a page; JOBQ_MANY_DEAD makes it more.
int many_dead() {
    const char* text = std::getenv("JOBQ_MANY_DEAD");
    return text ? std::atoi(text) : 130;
}

// Jobs that are dead, and die again as soon as they are retried.
void make_dying(const LiveDaemon& daemon, int count) {
    std::string lines;
    for (int i = 0; i < count; ++i)
        lines += "{}\n";
    daemon.must({"enqueue", "fail", "--jsonl", "-", "--max-attempts", "1", "-q"}, lines);
    REQUIRE(eventually([&] { return daemon.count("dead") == count; }));
}

// Attempts that ended since `before`, once all are dead again.
int64_t died_since(const LiveDaemon& daemon, int count, int64_t before) {
    CHECK(eventually([&] { return daemon.count("dead") == count; }, std::chrono::seconds(60)));
    return daemon.count("failed_attempts") - before;
}

}  // namespace

TEST_CASE("retry-dead of jobs that die again retries each once, as often as it is said") {
    LiveDaemon daemon(kConfig);
    const int count = many_dead();
    make_dying(daemon, count);
    const std::string done = std::to_string(count) + " dead jobs are ready again";
    for (int i = 0; i < 3; ++i) {
        const int64_t before = daemon.count("failed_attempts");
        CHECK(daemon.must({"retry-dead", "--all", "--yes"}) == done);
        CHECK(died_since(daemon, count, before) == count);
    }
    const int64_t before = daemon.count("failed_attempts");
    CHECK(daemon.must({"retry-dead", "--type", "fail", "--rate", "1000/s"}) == done);
    CHECK(died_since(daemon, count, before) == count);
}

TEST_CASE("a list of dead jobs names each once, though they are retried and die again meanwhile") {
    LiveDaemon daemon(kConfig);
    const int count = many_dead();
    make_dying(daemon, count);
    const int64_t before = daemon.count("failed_attempts");
    CliCall pipe = daemon.call({});
    const std::string ids = daemon.dir() / "ids";
    pipe.program = "/bin/sh";
    pipe.limit_s = 120;
    pipe.args = {"-c", std::string(kJobqProgram) + " list --state dead -q --limit 100000 | tee " +
                           ids + " | " + kJobqProgram + " retry - -q > " + (daemon.dir() / "out")};
    const Ran ran = run_cli(pipe);
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(died_since(daemon, count, before) == count);
    std::istringstream lines(read_file(ids));
    std::multiset<std::string> named;
    for (std::string line; std::getline(lines, line);)
        named.insert(line);
    CHECK(named.size() == size_t(count));
    CHECK(std::set<std::string>(named.begin(), named.end()).size() == size_t(count));
}

TEST_CASE("retry-dead at a rate keeps to it, and takes what matches alone") {
    LiveDaemon daemon(kConfig);
    make_dead(daemon, 20, R"({"customer":"acme"})");
    make_dead(daemon, 5, R"({"customer":"other"})");
    const Ran ran = daemon.jobq({"retry-dead", "--text", "acme", "--rate", "20/s"});
    CHECK(ran.status == 0);
    CHECK(ran.out == "20 dead jobs are ready again\n");
    CHECK(ran.err.empty());
    CHECK(ran.seconds > 0.7);  // three pauses of 0.25 s are between its four parts
    CHECK(daemon.count("ready") == 20);
    CHECK(daemon.count("dead") == 5);
    CHECK(contains(daemon.must({"list", "--state", "dead", "--text", "other", "-q"}), "\n"));
    CHECK(daemon.must({"list", "--state", "dead", "--text", "acme", "-q"}).empty());
    const Ran rest = daemon.jobq({"retry-dead", "--all", "--yes", "--rate", "1000", "--json"});
    CHECK(rest.status == 0);
    CHECK(json::parse(rest.out) ==
          json::parse(R"({"matched":5,"retried":5,"failed":0,"state":"finished"})"));
}

TEST_CASE("^C ends a retry at a rate: what is done stays done, the rest is dead") {
    LiveDaemon daemon(kConfig);
    make_dead(daemon, 100, "{}");
    const Ran ran = run_beside(daemon, {"retry-dead", "--type", "fail", "--rate", "10/s"},
                               [](int pid) { kill(pid, SIGINT); });
    CHECK(ran.status == 130);
    CHECK(contains(ran.err, "stopped: the other jobs are still dead"));
    const int64_t ready = daemon.count("ready");
    CHECK(ran.out == std::to_string(ready) + " dead jobs are ready again\n");
    CHECK(ready < 100);
    CHECK(daemon.count("dead") == 100 - ready);
    const auto goes_on = [&] { return daemon.count("ready") != ready; };
    CHECK_FALSE(eventually(goes_on, std::chrono::milliseconds(600)));  // two parts would have come
}

TEST_CASE("a retry at a rate that a restart of jobqd ends is not told as done") {
    LiveDaemon daemon(kConfig);
    make_dead(daemon, 100, "{}");
    const Ran ran = run_beside(daemon, {"retry-dead", "--type", "fail", "--rate", "10/s"},
                               [&](int) { daemon.restart(); });
    // The old jobqd may still have said that it was stopped; the new one does not know it.
    INFO(ran.out << ran.err);
    CHECK((ran.status == 3 || ran.status == 130));
    CHECK(contains(ran.err, ran.status == 3 ? "a restart of jobqd ends and forgets operations"
                                            : "stopped: the other jobs are still dead"));
    CHECK(daemon.count("dead") > 0);
    CHECK(daemon.count("dead") + daemon.count("ready") == 100);
}
