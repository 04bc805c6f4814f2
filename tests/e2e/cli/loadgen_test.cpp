// loadgen: its modes against a real daemon, what it says of lost, refused and dead jobs, ^C, wrong
// options.
#include <signal.h>

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr const char* kPools = R"(
[pool.threads]
kind = "thread"
queues = ["quick"]
slots = 4
[pool.programs]
kind = "exec"
queues = ["default"]
slots = 2
[type.broken]
run = ["/bin/false"]
max_attempts = 1
)";

json load(const LiveDaemon& daemon, Words options) {
    options.insert(options.begin(), {"loadgen", "-o", "json"});
    const Ran ran = daemon.jobq(options);
    INFO(ran.err);
    CHECK(ran.err.empty());
    REQUIRE(ran.status == 0);
    return json::parse(ran.out);
}

bool is_paused(const LiveDaemon& daemon, const std::string& queue) {
    for (const auto& one : json::parse(daemon.must({"queue", "list", "--json"})))
        if (one["name"] == queue) return one["paused"];
    return false;
}

bool rises(const json& latency) {
    const char* names[] = {"min", "p50", "p90", "p99", "p99.9", "p99.99", "max"};
    for (size_t i = 1; i < std::size(names); ++i)
        if (latency[names[i]] < latency[names[i - 1]]) return false;
    return true;
}

// A daemon that stores all and knows all, but for what `odd` answers itself.
class LoadFake {
  public:
    using Odd = std::function<bool(Peer&, const std::string& verb, const json&, bool& stays)>;

    explicit LoadFake(Odd odd)
        : daemon(
              [this, odd](Peer& peer, const std::string& verb, const std::string& text) {
                  const json request = json::parse(text, nullptr, false);
                  bool stays = true;
                  if (!odd(peer, verb, request, stays)) answer(peer, verb, request);
                  return stays;
              },
              "+HI {\"v\":2}\r\n", nullptr, FakeDaemon::Serves::all_at_once) {}

    void answer(Peer& peer, const std::string& verb, const json& request) {
        if (verb == "PUSH") {
            ++stored;
            peer.write("+OK\r\n");
        } else if (verb == "PUSHB") {
            stored += int(request.size());
            peer.bulk("{}");
        } else if (verb == "STATS") {
            peer.bulk(
                json{{"jobs", {{"succeeded", stored}, {"ready", 0}}}, {"pools", json::array()}}
                    .dump());
        } else if (verb == "STATUS") {
            json jobs = json::array();
            for (const auto& jid : request["jids"])
                jobs.push_back({{"jid", jid}, {"state", "succeeded"}});
            peer.bulk(json{{"jobs", jobs}}.dump());
        }
    }

    int stored = 0;
    FakeDaemon daemon;  // last: it may call answer() until it has gone
};

}  // namespace

TEST_CASE("loadgen enqueues while jobs run, and finds each of them over") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    const json run = load(daemon, {"--jobs", "1001", "--batch", "10", "--window", "3", "--clients",
                                   "3", "--latency", "--payload-size", "500"});
    CHECK(run["mode"] == "both");
    CHECK(run["queue"] == "quick");  // that of the pool which runs noop
    CHECK(run["enqueue"]["jobs"] == 1001);
    CHECK(run["run"]["jobs"] == 1001);
    CHECK(run["run"]["seconds"] >= run["enqueue"]["seconds"]);
    CHECK(run["check"] == json{{"jobs", 1001}, {"lost", 0}, {"unfinished", 0}, {"dead", 0}});
    const auto& latency = run["latency_us"];
    CHECK(latency["ack"]["count"] == 1001);
    CHECK(run["events"]["seen"] == 1001);
    CHECK(latency["finish"]["count"] == 1001);
    CHECK(latency["start"]["count"] == 1001);
    for (const char* what : {"ack", "start", "finish"})
        CHECK(rises(latency[what]));
    CHECK(latency["finish"]["p50"] >= latency["start"]["p50"]);
    CHECK(latency["ack"]["percentiles"].back()["count"] == 1001);
    CHECK(daemon.count("succeeded") == 1001);
    CHECK_FALSE(is_paused(daemon, "quick"));
}

TEST_CASE("loadgen --mode push leaves its jobs, --mode drain --jobs 0 runs what waits") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    daemon.must({"queue", "pause", "quick"});
    const json push = load(daemon, {"--mode", "push", "--jobs", "500", "--batch", "100"});
    CHECK(push["enqueue"]["jobs"] == 500);
    CHECK_FALSE(push.contains("run"));
    CHECK(push["check"]["jobs"] == 500);
    CHECK(daemon.count("ready") == 500);
    const json drain = load(daemon, {"--mode", "drain", "--jobs", "0"});
    CHECK_FALSE(drain.contains("enqueue"));
    CHECK_FALSE(drain.contains("check"));
    CHECK(drain["run"]["jobs"] == 500);
    CHECK(daemon.count("succeeded") == 500);
    CHECK_FALSE(is_paused(daemon, "quick"));
}

TEST_CASE("loadgen --mode drain enqueues first, and then lets the jobs run") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    const json run = load(daemon, {"--mode", "drain", "--jobs", "2000", "--batch", "200"});
    CHECK(run["enqueue"]["jobs"] == 2000);
    CHECK(run["run"]["jobs"] == 2000);
    CHECK(run["check"]["lost"] == 0);
    CHECK_FALSE(is_paused(daemon, "quick"));
    const Ran words = daemon.jobq({"loadgen", "--mode", "drain", "--jobs", "100"});
    CHECK(words.status == 0);
    CHECK(words.err.empty());  // no progress line where there is no terminal
    CHECK(contains(words.out, "checked 100 acknowledged jobs: 0 lost"));
    CHECK(contains(words.out, "p99.99"));
}

TEST_CASE("loadgen --rate keeps its pace and measures starts and ends without being asked") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    const json run = load(daemon, {"--rate", "200", "--jobs", "100", "--clients", "2"});
    CHECK(run["rate"] == 200);
    CHECK(run["enqueue"]["seconds"] >= 0.495);  // the last one is due then
    CHECK(run["latency_us"]["start"]["count"] == 100);
    const json timed = load(daemon, {"--rate", "100", "--batch", "10", "--duration", "500ms"});
    CHECK(timed["enqueue"]["jobs"] == 50);
    CHECK(load(daemon, {"--duration", "200ms", "--no-check"})["enqueue"]["jobs"] > 0);
}

TEST_CASE("jobs that loadgen made die: they are over, and counted") {
    LiveDaemon daemon(kPools, {"--log-level", "error"});
    const json run = load(daemon, {"--type", "broken", "--jobs", "5", "--latency"});
    CHECK(run["queue"] == "default");
    CHECK(run["check"] == json{{"jobs", 5}, {"lost", 0}, {"unfinished", 0}, {"dead", 5}});
    CHECK(run["latency_us"]["finish"]["count"] == 5);
    // Who streamed events does not hold it up; a stream that waits is ended.
    const auto connections = [&] {
        return int64_t(json::parse(daemon.must({"stats", "--json"}))["connections"]);
    };
    const int64_t before = connections();
    auto call = daemon.call({"events"});
    call.started = [&](int) {
        CHECK(eventually([&] { return connections() > before; }));
        daemon.signal(SIGTERM);
    };
    CHECK(run_cli(call).status == 69);
    CHECK(daemon.stop() == 0);
}

TEST_CASE("loadgen finds out that jobs were removed behind its back") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    auto call = daemon.call({"loadgen", "--mode", "push", "--queue", "nobody", "--rate", "100",
                             "--duration", "3s", "-o", "json"});
    call.started = [&](int) {
        CHECK(eventually([&] { return daemon.count("ready") > 0; }));
        daemon.must({"queue", "clear", "nobody", "--yes"});
    };
    const Ran ran = run_cli(call);
    CHECK(ran.status == 1);
    CHECK(contains(ran.err, "acknowledged jobs are no longer known to jobqd"));
    const json run = json::parse(ran.out);
    CHECK(run["check"]["jobs"] == 300);
    CHECK(run["check"]["lost"] > 0);
    CHECK(run["check"]["lost"] == 300 - daemon.count("ready"));
}

TEST_CASE("^C ends loadgen early: it prints what it has, and a paused queue goes on") {
    LiveDaemon daemon(kPools, {"--log-level", "warn"});
    auto call = daemon.call({"loadgen", "--mode", "drain", "--jobs", "100000000", "-o", "json"});
    call.started = [&](int pid) {
        CHECK(eventually([&] { return daemon.count("ready") > 0; }));
        CHECK(is_paused(daemon, "quick"));
        kill(pid, SIGINT);
    };
    const Ran ran = run_cli(call);
    CHECK(ran.status == 130);
    const json run = json::parse(ran.out);
    CHECK(run["interrupted"] == true);
    CHECK(run["enqueue"]["jobs"] > 0);
    CHECK_FALSE(run.contains("check"));
    CHECK_FALSE(is_paused(daemon, "quick"));
    CHECK(eventually([&] { return daemon.unfinished() == 0; }));
}

TEST_CASE("what is refused for now is sent again, and nothing else") {
    int pushes = 0;
    std::vector<std::string> refused;
    LoadFake fake([&](Peer& peer, const std::string& verb, const json& request, bool&) {
        if (verb != "PUSHB" || ++pushes > 3) return false;
        if (pushes == 2) {
            peer.write("-BUSY too much for now\r\n");
            return true;
        }
        refused.push_back(request[1]["jid"]);
        peer.bulk(json::object({{refused.back(), "the store is full"}}).dump());
        return true;
    });
    const Ran ran = run_cli(
        fake.daemon.call({"loadgen", "--jobs", "60", "--batch", "10", "--queue", "q", "--json"}));
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    const json run = json::parse(ran.out);
    CHECK(run["enqueue"]["jobs"] == 60);
    CHECK(run["refused"] == 12);
    CHECK(run["latency_us"]["ack"]["count"] == 60);
    std::map<std::string, int> sent;
    for (const auto& text : fake.daemon.sent("PUSHB"))
        for (const auto& job : json::parse(text))
            ++sent[job["jid"]];
    CHECK(sent.size() == 60);
    for (const auto& jid : refused)
        CHECK(sent[jid] == 2);
}

TEST_CASE("a lost job is named, a lost connection and an error end loadgen") {
    std::string missing;
    LoadFake forgets([&](Peer& peer, const std::string& verb, const json& request, bool&) {
        if (verb != "STATUS") return false;
        json jobs = json::array();
        for (const auto& jid : request["jids"])
            jobs.push_back({{"jid", jid}, {"state", "succeeded"}});
        missing = request["jids"][3];
        jobs[3] = {{"jid", missing}, {"error", "NOT_FOUND"}};
        peer.bulk(json{{"jobs", jobs}}.dump());
        return true;
    });
    const Ran lost = run_cli(forgets.daemon.call({"loadgen", "--jobs", "10", "--queue", "q"}));
    CHECK(lost.status == 1);
    CHECK(contains(lost.out, "checked 10 acknowledged jobs: 1 lost"));
    CHECK(contains(lost.out, missing));
    CHECK(contains(lost.err, "1 of 10 acknowledged jobs"));

    int pushes = 0;
    LoadFake cuts([&](Peer&, const std::string& verb, const json&, bool& stays) {
        stays = verb != "PUSH" || ++pushes < 5;
        return !stays;
    });
    const Ran cut =
        run_cli(cuts.daemon.call({"loadgen", "--jobs", "50", "--clients", "1", "--queue", "q"}));
    CHECK(cut.status == 69);
    CHECK(contains(cut.err, "the connection to jobqd was lost after 4 acknowledged jobs"));
    CHECK(contains(cut.out, "did not check for lost jobs"));

    LoadFake refuses([&](Peer& peer, const std::string& verb, const json&, bool&) {
        if (verb == "PUSH") peer.write("-FORBIDDEN not from here\r\n");
        return verb == "PUSH";
    });
    const Ran no = run_cli(refuses.daemon.call({"loadgen", "--jobs", "50", "--queue", "q"}));
    CHECK(no.status == 77);
    CHECK(contains(no.err, "not from here"));

    const Ran nobody = run_cli(refuses.daemon.call({"loadgen", "--jobs", "50"}));
    CHECK(nobody.status == 2);
    CHECK(contains(nobody.err, "no pool of this jobqd runs jobs of the built-in type 'noop'"));
}

TEST_CASE("loadgen refuses what can't be meant before it connects") {
    const std::vector<std::pair<Words, std::string>> all{
        {{"--mode", "pull"}, "--mode: 'pull'"},
        {{"--jobs", "5", "--duration", "1s"}, "--jobs and --duration"},
        {{"--jobs", "0"}, "--mode drain"},
        {{"--mode", "drain", "--duration", "1s"}, "--duration can't be used with --mode drain"},
        {{"--mode", "drain", "--rate", "5"}, "--rate can't be used with --mode drain"},
        {{"--mode", "push", "--latency"}, "--latency requires"},
        {{"--duration", "0s"}, "--duration"},
        {{"--duration", "5"}, "has no unit"},
        {{"--rate", "0"}, "--rate: '0'"},
        {{"--clients", "0"}, "--clients: '0'"},
        {{"--window", "x"}, "--window: 'x'"},
        {{"--batch", "10001"}, "--batch: '10001'"},
        {{"--batch", "100", "--payload-size", "1000000"}, "--batch: a request"},
        {{"--payload-size", "9999999"}, "--payload-size"},
        {{"--queue", "a/b"}, "--queue: 'a/b' is not a valid name"},
        {{"--type", std::string(256, 'x')}, "at most 255 bytes"},
        {{"noop"}, "does not take 'noop'"},
    };
    for (const auto& [options, said] : all) {
        CliCall call;
        call.args = options;
        call.args.insert(call.args.begin(), "loadgen");
        call.env["JOBQ_URL"] = "unix:/nonexistent/jobq.sock";
        const Ran ran = run_cli(call);
        INFO(said << ": " << ran.err);
        CHECK(ran.status == 2);
        CHECK(contains(ran.err, said));
    }
    CliCall call;
    call.args = {"loadgen"};
    call.env["JOBQ_URL"] = "unix:/nonexistent/jobq.sock";
    CHECK(run_cli(call).status == 69);
}

}  // namespace jobq::test
