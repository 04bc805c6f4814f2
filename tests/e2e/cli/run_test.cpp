// Commands as jobs with the real programs: output, exit status, time limits, and what becomes of
// them when jobqd or its runner is killed or stopped meanwhile.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// stop_timeout, then what is the same for all.
std::string config(const std::string& stop_timeout) {
    return "stop_timeout = \"" + stop_timeout + R"("
[run]
allow = true
[pool.default]
kind = "exec"
queues = ["default"]
slots = 4
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 2
)";
}

// Lines of the witness file.
int witnessed(const LiveDaemon& daemon) {
    const std::string text = read_file(daemon.dir() / "witness");
    return int(std::count(text.begin(), text.end(), '\n'));
}

bool will_witness(const LiveDaemon& daemon, int lines, seconds limit = seconds(20)) {
    return eventually([&] { return witnessed(daemon) >= lines; }, limit);
}

json status_of(const LiveDaemon& daemon, const std::string& jid) {
    const json status = json::parse(daemon.must({"status", jid, "--json"}));
    return status.is_array() ? status.at(0) : status;
}

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A script that notes its start and its attempt, then waits for ever unless `go` is there.
std::string waiting_script(const LiveDaemon& daemon) {
    return daemon.dir().write("wait.sh", "echo \"started $JOBQ_ATTEMPT\" >> " +
                                             (daemon.dir() / "witness") + "\n[ -e " +
                                             (daemon.dir() / "go") + " ] || exec sleep 600\n");
}

// 25 numbered lines on stdout and on stderr, one every 0.2 s.
std::string chatty_script(const LiveDaemon& daemon) {
    return daemon.dir().write("chatty.sh", "echo started >> " + (daemon.dir() / "witness") + R"(
i=0
while [ $i -lt 25 ]; do
  echo "out $i"
  echo "log $i" >&2
  i=$((i + 1))
  sleep 0.2
done
)");
}

std::string numbered(const std::string& word) {
    std::string text;
    for (int i = 0; i < 25; ++i)
        text += word + " " + std::to_string(i) + "\n";
    return text;
}

}  // namespace

TEST_CASE("run --wait is the command: its output, its exit code, its signal, its time limit") {
    LiveDaemon daemon(config("5s"));
    const Ran seven = daemon.jobq({"run", "--wait", "--", "sh", "-c", "echo hi; exit 7"});
    CHECK(seven.out == "hi\n");
    CHECK(seven.status == 7);
    CHECK(daemon.jobq({"run", "--wait", "--", "sh", "-c", "kill -9 $$"}).status == 137);
    const Ran both = daemon.jobq({"run", "--wait", "--", "sh", "-c", "echo out; echo err >&2"});
    CHECK(both.out == "out\n");
    CHECK(contains(both.err, "err\n"));
    CHECK(both.status == 0);

    const std::string odd = "61.372";  // to be found among all processes
    const Ran late = daemon.jobq({"run", "--wait", "--timeout", "1s", "--", "sleep", odd});
    CHECK(late.status == 124);
    CHECK(late.seconds >= 0.95);
    CHECK(late.seconds < 30);
    CHECK(processes_with(odd) == 0);
    // What the command left in the background is of its process group.
    const std::string left = "61.373";
    const Ran group = daemon.jobq({"run", "--wait", "--timeout", "1s", "--", "sh", "-c",
                                   "sleep " + left + " & sleep " + left + "; true"});
    CHECK(group.status == 124);
    CHECK(eventually([&] { return processes_with(left) == 0; }));
}

TEST_CASE("a run goes on while jobqd is killed and started again, once and with a whole log") {
    LiveDaemon daemon(config("5s"));
    const std::string script = chatty_script(daemon);
    Ran waited;
    std::thread waiter([&] { waited = daemon.jobq({"run", "--wait", "--", "sh", script}); });
    const bool started = will_witness(daemon, 1);
    const std::string jid = daemon.must({"run", "-q", "--", "sh", script});
    const bool both_started = will_witness(daemon, 2);
    const bool talks = eventually(
        [&] {
            return contains(daemon.jobq({"logs", jid}).out, "log 3\n");
        },
        seconds(20));
    const pid_t runner = daemon.runner_pid();
    daemon.kill();
    daemon.start();
    const Ran ended = daemon.jobq({"wait", jid});
    waiter.join();
    CHECK(started);
    CHECK(both_started);
    CHECK(talks);
    CHECK(ended.status == 0);
    CHECK(daemon.runner_pid() == runner);
    CHECK(witnessed(daemon) == 2);
    CHECK(daemon.must({"logs", jid}) + "\n" == numbered("log"));
    CHECK(daemon.must({"result", jid}) + "\n" == numbered("out"));
    const json job = status_of(daemon, jid);
    INFO(job.dump());
    CHECK(job.at("state") == "succeeded");
    CHECK(job.at("attempts") == 1);
    CHECK(job.value("crashes", 0) == 0);
    CHECK(waited.status == 0);
    CHECK(waited.out == numbered("out"));
}

TEST_CASE("what a run wrote while jobqd was away reaches who follows it") {
    LiveDaemon daemon(config("5s"));
    const std::string script = daemon.dir().write("brief.sh", R"(
for i in 0 1 2 3 4 5 6 7 8 9; do
  echo "out $i"
  echo "log $i" >&2
  sleep 0.1
done
echo ended >> )" + (daemon.dir() / "witness") + "\n");
    Ran waited;
    std::thread waiter([&] { waited = daemon.jobq({"run", "--wait", "--", "sh", script}); });
    const auto talks = [&] {
        const json running = json::parse(daemon.must({"list", "--state", "running", "--json"}));
        if (running.empty()) return false;
        const std::string jid = running.at(0).at("jid");
        return contains(daemon.jobq({"logs", jid}).out, "log 2\n");
    };
    const bool talked = eventually(talks, seconds(20));
    daemon.kill();
    const bool ended = will_witness(daemon, 1);
    daemon.start();
    waiter.join();
    CHECK(talked);
    CHECK(ended);
    CHECK(waited.status == 0);
    INFO(waited.err);
    std::string out;
    for (int i = 0; i < 10; ++i) {
        out += "out " + std::to_string(i) + "\n";
        CHECK(contains(waited.err, "log " + std::to_string(i) + "\n"));
    }
    CHECK(waited.out == out);
}

TEST_CASE("the jobs of a killed runner end with it and run again within a second") {
    LiveDaemon daemon(config("5s"));
    const std::string script = waiting_script(daemon);
    const std::string jid = daemon.must({"run", "-q", "--", "sh", script});
    REQUIRE(will_witness(daemon, 1));
    daemon.dir().write("go", "");
    const auto begin = Clock::now();
    const pid_t runner = daemon.runner_pid();
    ::kill(runner, SIGKILL);
    REQUIRE(will_witness(daemon, 2));
    CHECK(seconds_since(begin) < 2);  // a second, and the load of other tests
    CHECK(daemon.jobq({"wait", jid}).status == 0);
    const json job = status_of(daemon, jid);
    INFO(job.dump());
    CHECK(job.at("state") == "succeeded");
    CHECK(job.at("attempts") == 2);
    CHECK(daemon.runner_pid() != runner);
    CHECK(read_file(daemon.dir() / "witness") == "started 1\nstarted 2\n");
}

TEST_CASE("a job that kills its runner each time is poison after the third") {
    LiveDaemon daemon(config("5s"));
    const std::string jid =
        daemon.must({"run", "-q", "--max-attempts", "9", "--", "sh", "-c", "kill -9 $PPID"});
    CHECK(daemon.jobq({"wait", jid, "--timeout", "30s"}).status == 1);
    const json job = status_of(daemon, jid);
    INFO(job.dump());
    CHECK(job.at("state") == "dead");
    CHECK(job.at("reason") == "poison");
    CHECK(job.value("crashes", 0) == 3);
}

TEST_CASE("SIGTERM lets running jobs end within stop_timeout") {
    LiveDaemon daemon(config("20s"));
    const std::string witness = daemon.dir() / "witness";
    const std::string jid =
        daemon.must({"run", "-q", "--", "sh", "-c",
                     "echo started >> " + witness + "; sleep 1; echo ended >> " + witness});
    const std::string nap = daemon.must({"enqueue", "sleep", "--payload", "1", "-q"});
    REQUIRE(will_witness(daemon, 1));
    REQUIRE(eventually([&] { return daemon.count("running") == 2; }));
    const auto begin = Clock::now();
    CHECK(daemon.stop() == 0);
    CHECK(seconds_since(begin) < 6);
    CHECK(read_file(witness) == "started\nended\n");
    daemon.start();
    CHECK(daemon.states({jid, nap}) == std::vector<std::string>{"succeeded", "succeeded"});
    CHECK(witnessed(daemon) == 2);
}

TEST_CASE("a job longer than stop_timeout goes back to its queue without an attempt spent") {
    LiveDaemon daemon(config("300ms"));
    const std::string jid = daemon.must({"run", "-q", "--", "sh", waiting_script(daemon)});
    const std::string nap = daemon.must({"enqueue", "sleep", "--payload", "2", "-q"});
    REQUIRE(will_witness(daemon, 1));
    REQUIRE(eventually([&] { return daemon.count("running") == 2; }));
    const auto begin = Clock::now();
    const pid_t runner = daemon.runner_pid();
    CHECK(daemon.stop() == 0);
    CHECK(seconds_since(begin) < 6);
    CHECK_FALSE(is_alive(runner));
    daemon.dir().write("go", "");
    daemon.start();
    CHECK(daemon.jobq({"wait", jid, "--timeout", "20s"}).status == 0);
    const json job = status_of(daemon, jid);
    INFO(job.dump());
    CHECK(job.at("attempts") == 1);
    CHECK(job.value("crashes", 0) == 0);
    CHECK(job.at("errors").empty());
    CHECK(read_file(daemon.dir() / "witness") == "started 1\nstarted 1\n");
    CHECK(daemon.jobq({"wait", nap, "--timeout", "20s"}).status == 0);
    CHECK(status_of(daemon, nap)["attempts"] == 1);
}

}  // namespace jobq::test
