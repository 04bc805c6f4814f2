// `jobq work` with the real programs: the contract of its jobs, how it stops, what it says, and
// what it refuses. Cut links and lost leases are in work_link_test.cpp.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/live/worker_process.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Words = std::vector<std::string>;

// jobqd runs nothing of these queues itself.
constexpr const char* kNoPools = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["threads"]
slots = 1
[type.once]
max_attempts = 1
timeout = "400ms"
)";

json status_of(const LiveDaemon& daemon, const std::string& jid) {
    const json status = json::parse(daemon.must({"status", jid, "--json"}));
    return status.is_array() ? status.at(0) : status;
}

bool gets(const LiveDaemon& daemon, const std::string& jid, const std::string& state) {
    return eventually([&] { return status_of(daemon, jid).at("state") == state; }, seconds(20));
}

std::string enqueue(const LiveDaemon& daemon, Words more) {
    Words words{"enqueue", "-q", "--queue", "w"};
    words.insert(words.end(), more.begin(), more.end());
    return daemon.must(words);
}

json workers_of(const LiveDaemon& daemon) {
    json remote = json::array();
    for (const auto& worker : json::parse(daemon.must({"workers", "--json"})))
        if (worker.at("kind") == "remote") remote.push_back(worker);
    return remote;
}

// Notes its start, then waits for the file `go`.
std::string held(const LiveDaemon& daemon) {
    return daemon.dir().write("held.sh", "echo $JOBQ_ATTEMPT >> " + (daemon.dir() / "began") +
                                             "\nwhile [ ! -e " + (daemon.dir() / "go") +
                                             " ]; do sleep 0.02; done\n");
}

bool began(const LiveDaemon& daemon, long lines) {
    return eventually(
        [&] {
            const std::string text = read_file(daemon.dir() / "began");
            return std::count(text.begin(), text.end(), '\n') >= lines;
        },
        seconds(20));
}

Ran work(const LiveDaemon& daemon, Words args) {
    args.insert(args.begin(), "work");
    return daemon.jobq(args);
}

}  // namespace

TEST_CASE("work: payload on stdin, a clean environment, stdout the result, stderr the log") {
    LiveDaemon daemon(kNoPools);
    const std::string script = daemon.dir().write(
        "job.sh",
        "echo \"$1|$JOBQ_TYPE|$JOBQ_QUEUE|$JOBQ_ATTEMPT|$JOBQ_MAX_ATTEMPTS|$OWN|$SECRET\"\n"
        "cat; echo to the log >&2; [ -n \"$JOBQ_DEADLINE\" ] && echo \"$JOBQ_JID\" >&2\n");
    const std::string jid = enqueue(daemon, {"resize", "--payload", R"({"n": 1})"});
    const Ran ran = work(daemon, {"w", "--burst", "--slots", "2", "--env", "OWN=mine", "--", "sh",
                                  script, "{payload}"});
    INFO(ran.err);
    CHECK(ran.status == 0);
    CHECK(daemon.must({"result", jid}) == "{\"n\": 1}|resize|w|1|26|mine|\n{\"n\": 1}");
    CHECK(daemon.must({"logs", jid}) == "to the log\n" + jid);
    CHECK(status_of(daemon, jid).at("state") == "succeeded");
    CHECK(contains(ran.err, "jobq: taking jobs of w from unix:"));
    CHECK(contains(ran.err, "2 slots"));
    CHECK(contains(ran.err, "ran 1 jobs: 1 succeeded"));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 2);
}

TEST_CASE("work: exit 75 runs again, 100 is dead at once, another code is a failed attempt") {
    LiveDaemon daemon(kNoPools);
    const std::string again = enqueue(daemon, {"exit", "--payload", "75"});
    const std::string never = enqueue(daemon, {"exit", "--payload", "100"});
    const std::string once = enqueue(daemon, {"once", "--payload", "3"});
    const Ran ran =
        work(daemon, {"w", "--burst", "-v", "--slots", "1", "--", "sh", "-c", "read n; exit $n"});
    CHECK(ran.status == 0);
    CHECK(status_of(daemon, again).at("state") == "retrying");
    CHECK(status_of(daemon, never).at("reason") == "rejected");
    CHECK(status_of(daemon, once).at("reason") == "exhausted");
    // A crash runs again at once: three, and it is poison.
    const std::string crash = enqueue(daemon, {"exit"});
    WorkerProcess worker(daemon, {"w", "--", "sh", "-c", "kill -9 $$"});
    CHECK(gets(daemon, crash, "dead"));
    CHECK(status_of(daemon, crash).at("reason") == "poison");
    CHECK(contains(ran.err, again + " started: type exit, queue w, attempt 1 of 26"));
    CHECK(contains(ran.err, never + " failed for good after"));
}

TEST_CASE("work: a cancel and the job's own time limit end its whole process group") {
    LiveDaemon daemon(kNoPools);
    const std::string odd = "77.731";
    WorkerProcess worker(daemon, {"w", "--slots", "2", "--", "sh", "-c",
                                  "sleep " + odd + " & sleep " + odd + "; true"});
    REQUIRE(worker.is_ready());
    const std::string late = enqueue(daemon, {"once"});  // its type allows 400 ms
    const std::string unwanted = enqueue(daemon, {"long"});
    CHECK(gets(daemon, unwanted, "running"));
    daemon.must({"cancel", unwanted});
    CHECK(gets(daemon, unwanted, "cancelled"));
    CHECK(gets(daemon, late, "dead"));
    CHECK(contains(status_of(daemon, late).dump(), "timeout"));
    CHECK(eventually([&] { return processes_with(odd) == 0; }));
}

TEST_CASE("work: jobq workers shows it, quiet lets it end what it runs, stop ends it") {
    LiveDaemon daemon(kNoPools);
    WorkerProcess worker(daemon, {"w", "--slots", "3", "--", "sh", held(daemon)});
    REQUIRE(worker.is_ready());
    const std::string jid = enqueue(daemon, {"long"});
    REQUIRE(began(daemon, 1));
    const json shown = workers_of(daemon).at(0);
    INFO(shown.dump());
    CHECK(shown.at("pid") == worker.pid());
    CHECK(shown.at("slots") == 3);
    CHECK(!shown.at("hostname").get<std::string>().empty());
    CHECK(shown.at("jobs").at(0).at("jid") == jid);
    const std::string wid = shown.at("wid");
    CHECK(contains(wid, std::to_string(worker.pid())));

    daemon.must({"workers", "quiet", wid});
    const std::string later = enqueue(daemon, {"long"});
    daemon.dir().write("go", "1");
    CHECK(gets(daemon, jid, "succeeded"));
    CHECK(workers_of(daemon).at(0).at("state") == "quiet");
    CHECK(status_of(daemon, later).at("state") == "ready");

    daemon.must({"workers", "stop", wid});
    CHECK(worker.wait_end() == 0);
    // It said goodbye: nobody waits for its lease.
    CHECK(eventually([&] { return workers_of(daemon).empty(); }));
    CHECK(daemon.jobq({"workers", "stop", wid}).status == 3);
    CHECK(status_of(daemon, later).at("state") == "ready");
}

TEST_CASE("work: the first TERM lets jobs end, what is left goes back unspent, a second hurries") {
    LiveDaemon daemon(kNoPools);
    const std::string script = held(daemon);
    {
        WorkerProcess worker(daemon, {"w", "--slots", "1", "--", "sh", script});
        REQUIRE(worker.is_ready());
        const std::string jid = enqueue(daemon, {"long"}), next = enqueue(daemon, {"long"});
        REQUIRE(began(daemon, 1));
        worker.signal(SIGTERM);
        CHECK(worker.says("takes no more jobs"));
        daemon.dir().write("go", "1");
        CHECK(worker.wait_end() == 0);
        CHECK(status_of(daemon, jid).at("state") == "succeeded");
        CHECK(status_of(daemon, next).at("state") == "ready");
        daemon.must({"cancel", next});
        unlink((daemon.dir() / "go").c_str());
    }
    const std::string jid = enqueue(daemon, {"long"});
    for (const bool hurry : {false, true}) {
        WorkerProcess worker(daemon, {"w", "--slots", "1", "--stop-timeout",
                                      hurry ? "60s" : "100ms", "--", "sh", script});
        REQUIRE(began(daemon, hurry ? 3 : 2));
        worker.signal(SIGINT);
        if (hurry) {
            REQUIRE(worker.says("takes no more jobs"));
            worker.signal(SIGTERM);
        }
        CHECK(worker.wait_end() == 0);
        const json job = status_of(daemon, jid);
        INFO(job.dump());
        CHECK(job.at("state") == "ready");
        CHECK(job.value("attempts", 0) == 0);
    }
}

TEST_CASE("work: --max-jobs and --type count and choose, -o jsonl tells it to programs") {
    LiveDaemon daemon(kNoPools);
    Words wanted, others;
    for (int i = 0; i < 4; ++i) {
        others.push_back(enqueue(daemon, {"other"}));
        wanted.push_back(enqueue(daemon, {"mail"}));
    }
    const Ran three = work(daemon, {"w", "--max-jobs", "3", "--type", "mail", "-o", "jsonl", "--",
                                    "sh", "-c", "echo $JOBQ_TYPE"});
    CHECK(three.status == 0);
    CHECK(three.err.empty());
    std::map<std::string, int> events;
    std::istringstream lines(three.out);
    for (std::string line; std::getline(lines, line);) {
        const json event = json::parse(line);
        ++events[event.at("event")];
        if (event.at("event") == "ended") CHECK(event.at("outcome") == "success");
        if (event.at("event") == "started") CHECK(event.at("type") == "mail");
    }
    CHECK(events ==
          std::map<std::string, int>{{"online", 1}, {"started", 3}, {"ended", 3}, {"closed", 1}});
    CHECK(work(daemon, {"w", "--burst", "-q", "--type", "mail", "--", "true"}).err.empty());
    for (const auto& state : daemon.states(wanted))
        CHECK(state == "succeeded");
    // Put aside for a moment, no attempt spent.
    for (const auto& jid : others) {
        CHECK(gets(daemon, jid, "ready"));
        CHECK(status_of(daemon, jid).value("attempts", 0) == 0);
    }
    CHECK(work(daemon, {"w", "--burst", "--", "true"}).status == 0);
    for (const auto& state : daemon.states(others))
        CHECK(state == "succeeded");
}

TEST_CASE("work: queues in order, or by weight, several workers at once have names of their own") {
    LiveDaemon daemon(kNoPools);
    for (int i = 0; i < 5; ++i) {
        daemon.must({"enqueue", "x", "--queue", "low", "-q"});
        daemon.must({"enqueue", "x", "--queue", "high", "-q"});
    }
    const std::string note = "echo $JOBQ_QUEUE >> " + (daemon.dir() / "order");
    CHECK(work(daemon, {"high", "low", "--max-jobs", "6", "--slots", "1", "--", "sh", "-c", note})
              .status == 0);
    CHECK(read_file(daemon.dir() / "order") == "high\nhigh\nhigh\nhigh\nhigh\nlow\n");
    CHECK(work(daemon, {"high=2", "low", "--burst", "--", "true"}).status == 0);
    CHECK(daemon.count("succeeded") == 10);

    WorkerProcess one(daemon, {"w", "--", "true"}), two(daemon, {"w", "--", "true"});
    REQUIRE(one.is_ready());
    REQUIRE(two.is_ready());
    const json both = workers_of(daemon);
    REQUIRE(both.size() == 2);
    CHECK(both[0].at("wid") != both[1].at("wid"));
}

TEST_CASE("work: wrong words are refused before anything is taken") {
    LiveDaemon daemon(kNoPools);
    const std::string plain = daemon.dir().write("plain", "echo hi\n");

    struct Wrong {
        Words args;
        int status;
        std::string says;
    };

    const std::vector<Wrong> all{
        {{"--", "true"}, 2, "`jobq work` needs more"},
        {{"w"}, 2, "`jobq work` needs the command that runs the jobs"},
        {{"w", "--"}, 2, "`jobq work` needs the command that runs the jobs"},
        {{"a b", "--", "true"}, 2, "'a b' is not a valid queue name"},
        {{"w", "w=2", "--", "true"}, 2, "the queue w is named twice"},
        {{"w=0", "--", "true"}, 2, "'w=0': the weight of a queue"},
        {{"w", "--slots", "0", "--", "true"}, 2, "--slots: '0' is not a whole number from 1"},
        {{"w", "--slots", "x", "--", "true"}, 2, "--slots"},
        {{"w", "--max-jobs", "0", "--", "true"}, 2, "--max-jobs"},
        {{"w", "--stop-timeout", "5", "--", "true"}, 2, "--stop-timeout"},
        {{"w", "--env", "NOT_SET_HERE", "--", "true"},
         2,
         "--env: 'NOT_SET_HERE' is not set in the environment"},
        {{"w", "--cwd", "/no/such/place", "--", "true"}, 66, "is not a directory"},
        {{"w", "--", "no-such-program-here"},
         66,
         "the program 'no-such-program-here' is not in PATH"},
        {{"w", "--", "./no-such-file"}, 66, "can't run './no-such-file': No such file"},
        {{"w", "--", plain}, 66, "it is not an executable file"},
        {{"w", "--slot", "1", "--", "true"}, 2, "did you mean '--slots'?"},
    };
    for (const auto& wrong : all) {
        const Ran ran = work(daemon, wrong.args);
        INFO(wrong.says << "\n" << ran.err);
        CHECK(ran.status == wrong.status);
        CHECK(contains(ran.err, wrong.says));
    }
    CHECK(workers_of(daemon).empty());
}

TEST_CASE("work: a command that vanishes later is told, and costs the job an attempt like any") {
    LiveDaemon daemon(kNoPools);
    const std::string command = daemon.dir().write("tool", "#!/bin/sh\n");
    chmod(command.c_str(), 0700);
    WorkerProcess worker(daemon, {"w", "--", command});
    REQUIRE(worker.is_ready());
    unlink(command.c_str());
    const std::string jid = enqueue(daemon, {"x"});
    CHECK(gets(daemon, jid, "retrying"));
    CHECK(worker.says(jid + " failed: can't start " + command));
}

TEST_CASE("work: without a daemon it says so once and waits, --burst gives up") {
    LiveDaemon daemon(kNoPools);
    daemon.stop();
    const Ran burst = work(daemon, {"w", "--burst", "--", "true"});
    CHECK(burst.status == 69);
    CHECK(contains(burst.err, daemon.socket()));
    WorkerProcess unwanted(daemon, {"w", "--", "true"});
    REQUIRE(unwanted.says("waiting for the daemon"));
    unwanted.signal(SIGTERM);
    CHECK(unwanted.wait_end() == 0);

    WorkerProcess worker(daemon, {"w", "--", "true"});
    REQUIRE(worker.says("waiting for the daemon"));
    daemon.start();
    CHECK(worker.is_ready());
    const std::string jid = enqueue(daemon, {"x"});
    CHECK(gets(daemon, jid, "succeeded"));
    daemon.kill();
    CHECK(worker.says("lost the connection to jobqd"));
    daemon.start();
    CHECK(worker.says("reconnected"));
    const std::string said = worker.err();
    CHECK(said.find("waiting for") == said.rfind("waiting for"));
    CHECK(said.find("lost the connection to jobqd") == said.rfind("lost the connection to jobqd"));
    CHECK(!contains(said, "can't connect to jobqd:"));
    worker.signal(SIGTERM);
    CHECK(worker.wait_end() == 0);
}

}  // namespace jobq::test
