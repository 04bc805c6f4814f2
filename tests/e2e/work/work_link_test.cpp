// `jobq work` and its lease: cut links, a worker that is frozen, killed workers, a killed jobqd.
// JOBQ_WORK_JOBS sets how many jobs the last test drains.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/live/worker_process.h"
#include "tests/support/poll.h"
#include "tests/support/relay.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr const char* kNoPools = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["threads"]
slots = 1
)";

json status_of(const LiveDaemon& daemon, const std::string& jid) {
    const json status = json::parse(daemon.must({"status", jid, "--json"}));
    return status.is_array() ? status.at(0) : status;
}

bool gets(const LiveDaemon& daemon, const std::string& jid, const std::string& state,
          int limit_s = 40) {
    return eventually([&] { return status_of(daemon, jid).at("state") == state; },
                      seconds(limit_s));
}

struct Line {
    std::string what, jid;
    int64_t attempt = 0, runner = 0;
    double at = 0;  // seconds since the boot
};

std::vector<Line> witness(const LiveDaemon& daemon) {
    std::vector<Line> lines;
    std::istringstream in(read_file(daemon.dir() / "witness"));
    Line line;
    while (in >> line.what >> line.jid >> line.attempt >> line.runner >> line.at)
        lines.push_back(line);
    return lines;
}

bool will_witness(const LiveDaemon& daemon, size_t lines) {
    return eventually([&] { return witness(daemon).size() >= lines; }, seconds(40));
}

// In a shell: one line of the witness file.
std::string note(const LiveDaemon& daemon, const std::string& what) {
    return "read up idle < /proc/uptime; echo " + what + " $JOBQ_JID $JOBQ_ATTEMPT $PPID $up >> " +
           (daemon.dir() / "witness");
}

// Notes its begin and its end, by itself or by TERM, and goes on until there is a file `go`.
std::string held(const LiveDaemon& daemon) {
    return daemon.dir().write("held.sh", "trap '" + note(daemon, "stopped") + "; exit 1' TERM\n" +
                                             note(daemon, "began") + "\nwhile [ ! -e " +
                                             (daemon.dir() / "go") + " ]; do sleep 0.02; done\n" +
                                             note(daemon, "ended") + "\n");
}

const Line* find(const std::vector<Line>& lines, const std::string& what, int64_t runner) {
    for (const auto& line : lines)
        if (line.what == what && line.runner == runner) return &line;
    return nullptr;
}

}  // namespace

TEST_CASE("work: what ends while the link is cut is kept, reported once, and run once") {
    LiveDaemon daemon(kNoPools);
    Relay proxy(daemon.socket());
    WorkerProcess worker(daemon, {"w", "--slots", "2", "--", "sh", held(daemon)}, proxy.url());
    REQUIRE(worker.is_ready());
    const std::string jid = daemon.must({"enqueue", "x", "--queue", "w", "-q"});
    REQUIRE(will_witness(daemon, 1));
    proxy.cut();
    CHECK(worker.says("lost the connection to jobqd"));
    daemon.dir().write("go", "1");
    CHECK(will_witness(daemon, 2));
    CHECK(status_of(daemon, jid).at("state") == "running");
    proxy.mend();
    CHECK(gets(daemon, jid, "succeeded"));
    CHECK(status_of(daemon, jid).at("attempts") == 1);
    CHECK(worker.says("reconnected"));
    const std::string more = daemon.must({"enqueue", "x", "--queue", "w", "-q"});
    CHECK(gets(daemon, more, "succeeded"));
    CHECK(witness(daemon).size() == 4);
}

TEST_CASE("work: a worker that can't renew its lease stops its jobs before another gets them") {
    LiveDaemon daemon(kNoPools);
    Relay proxy(daemon.socket());
    const std::string script = held(daemon);
    WorkerProcess far(daemon, {"w", "--slots", "1", "--", "sh", script}, proxy.url());
    REQUIRE(far.is_ready());
    const std::string jid = daemon.must({"enqueue", "x", "--queue", "w", "-q"});
    REQUIRE(will_witness(daemon, 1));
    WorkerProcess near(daemon, {"w", "--slots", "1", "--", "sh", script});
    REQUIRE(near.is_ready());
    const pid_t far_pid = far.pid(), near_pid = near.pid();
    proxy.cut();
    REQUIRE(will_witness(daemon, 3));
    const auto lines = witness(daemon);
    const Line* stopped = find(lines, "stopped", far_pid);
    const Line* began = find(lines, "began", near_pid);
    REQUIRE(stopped);
    REQUIRE(began);
    CHECK(stopped->at <= began->at);
    CHECK(began->attempt == 2);
    proxy.mend();
    CHECK(far.says("reconnected"));
    daemon.dir().write("go", "1");
    CHECK(gets(daemon, jid, "succeeded"));
    CHECK(find(witness(daemon), "ended", far_pid) == nullptr);
}

TEST_CASE("work: the finish of a worker that slept through its lease is refused") {
    LiveDaemon daemon(kNoPools);
    const std::string script = held(daemon);
    WorkerProcess sleepy(daemon, {"w", "--slots", "1", "--", "sh", script});
    REQUIRE(sleepy.is_ready());
    const std::string jid = daemon.must({"enqueue", "x", "--queue", "w", "-q"});
    REQUIRE(will_witness(daemon, 1));
    const pid_t sleepy_pid = sleepy.pid();
    sleepy.signal(SIGSTOP);
    daemon.dir().write("go", "1");
    REQUIRE(will_witness(daemon, 2));  // the job itself was not frozen, and ends
    WorkerProcess other(daemon, {"w", "--slots", "1", "--", "sh", script});
    CHECK(gets(daemon, jid, "succeeded"));
    const json before = status_of(daemon, jid);
    sleepy.signal(SIGCONT);
    CHECK(sleepy.says("the report of job " + jid + " was refused"));
    CHECK(status_of(daemon, jid) == before);
    CHECK(before.at("attempts") == 2);
    CHECK(find(witness(daemon), "ended", sleepy_pid) != nullptr);
    sleepy.signal(SIGTERM);
    CHECK(sleepy.wait_end() == 0);
}

namespace {

int64_t jobs_asked() {
    const char* text = std::getenv("JOBQ_WORK_JOBS");
    if (text) return std::max<int64_t>(200, std::atoll(text));
#ifdef JOBQ_SANITIZED
    return 1'000;
#else
    return 5'000;
#endif
}

// What is not as it should be: lost jobs, and duplicates of what the killed worker did not hold.
std::string wrong_runs(const std::vector<Line>& lines, const std::vector<std::string>& jids,
                       pid_t killed, size_t* twice) {
    std::map<std::string, std::vector<int64_t>> runners;
    for (const auto& line : lines)
        runners[line.jid].push_back(line.runner);
    std::string wrong;
    for (const auto& jid : jids)
        if (!runners.count(jid)) wrong += jid + " was lost\n";
    *twice = 0;
    for (const auto& [jid, ran] : runners) {
        if (ran.size() == 1) continue;
        ++*twice;
        if (ran.size() != 2 || ran[0] != killed) wrong += jid + " ran twice\n";
    }
    return wrong;
}

std::vector<std::string> show_jids(int64_t jobs) {
    std::vector<std::string> jids;
    for (int64_t i = 0; i < jobs; ++i)
        jids.push_back("show-" + std::to_string(1'000'000 + i));
    return jids;
}

}  // namespace

TEST_CASE("work: two workers drain exec jobs though jobqd and a worker are killed") {
    const int64_t jobs = jobs_asked();
    LiveDaemon daemon(kNoPools, {"--log-level", "error"});
    const auto jids = show_jids(jobs);
    std::string input;
    for (const auto& jid : jids)
        input += "{\"id\":\"" + jid + "\",\"type\":\"note\",\"queue\":\"w\"}\n";
    daemon.must({"enqueue", "--jsonl", "-", "-q"}, input);
    const std::string script = daemon.dir().write("note.sh", note(daemon, "ran") + "\n");
    const std::vector<std::string> args{"w", "--slots", "4", "--", "sh", script};
    WorkerProcess one(daemon, args), two(daemon, args);
    for (int64_t part = 1; part <= 3; ++part) {
        CHECK(eventually([&] { return int64_t(witness(daemon).size()) >= jobs * part / 5; },
                         seconds(120)));
        daemon.kill();
        daemon.start();
    }
    CHECK(
        eventually([&] { return int64_t(witness(daemon).size()) >= jobs * 7 / 10; }, seconds(120)));
    const pid_t killed = two.pid();
    two.signal(SIGKILL);
    CHECK(two.wait_end() == 128 + SIGKILL);
    WorkerProcess three(daemon, args);
    CHECK(eventually([&] { return daemon.unfinished() == 0; }, seconds(120)));
    const auto lines = witness(daemon);
    size_t twice = 0;
    CHECK(wrong_runs(lines, jids, killed, &twice) == "");
    INFO(twice << " jobs ran twice");
    CHECK(twice <= 4 + 16);  // its slots, and reports that had not been heard
    const json total = json::parse(daemon.must({"stats", "--json"})).at("jobs");
    INFO(total.dump());
    CHECK(total.at("succeeded") == jobs);
    std::set<std::string> states;
    for (const auto& state : daemon.states(jids))
        states.insert(state);
    CHECK(states == std::set<std::string>{"succeeded"});
    for (WorkerProcess* worker : {&one, &three}) {
        worker->signal(SIGTERM);
        CHECK(worker->wait_end() == 0);
    }
    CHECK(daemon.stop() == 0);
}

}  // namespace jobq::test
