// 10,000 jobs of every fate through the real programs, while jobqd and its Redis are killed: each
// ends in the state it should, what a job did is there, and the totals add up.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"(
stop_timeout = "2s"
[pool.threads]
kind = "thread"
queues = ["fast", "held"]
slots = 16
[pool.default]
kind = "exec"
queues = ["default"]
slots = 4
[type.fail]
max_attempts = 3
backoff = { base = "100ms", factor = 1, max = "100ms", jitter = 0.0 }
[type.append]
run = ["/bin/sh", "{dir}/append.sh"]
max_attempts = 2
[type.third]
run = ["/bin/sh", "{dir}/third.sh"]
max_attempts = 3
backoff = { base = "100ms", factor = 1, max = "100ms", jitter = 0.0 }
[type.never]
run = ["/bin/false"]
max_attempts = 2
backoff = { base = "100ms", factor = 1, max = "100ms", jitter = 0.0 }
[type.hang]
run = ["/bin/sleep", "600"]
timeout = "300ms"
max_attempts = 1
[type.crash]
run = ["/bin/sh", "-c", "kill -9 $$"]
max_attempts = 10
)";

struct Kind {
    const char* name;
    int count;
    const char* line;  // the rest of its enqueue line
    const char* state;
    const char* reason;  // of dead jobs
    bool has_effect;     // it appends a line to the witness
};

// Lost attempts (a killed jobqd) are not counted, so no kill changes what is right here.
constexpr Kind kKinds[] = {
    {"noop", 4000, R"("type":"noop","payload":{"n":1},"queue":"fast")", "succeeded", "", false},
    {"echo", 1500, R"("type":"echo","payload":"a text","queue":"fast")", "succeeded", "", false},
    {"second", 1500, R"("type":"fail","payload":{"times":2},"queue":"fast")", "succeeded", "",
     false},
    {"fails", 500, R"("type":"fail","queue":"fast")", "dead", "exhausted", false},
    {"late", 400, R"("type":"sleep","payload":9,"queue":"fast","timeout":"60ms","max_attempts":1)",
     "dead", "exhausted", false},
    {"naps", 500, R"("type":"sleep","payload":{"ms":20},"queue":"fast")", "succeeded", "", false},
    {"stay", 300, R"("type":"noop","queue":"held")", "cancelled", "", false},
    {"hour", 300, R"("type":"noop","queue":"fast","in":"1h")", "cancelled", "", false},
    {"soon", 500, R"("type":"noop","queue":"fast","in":"%d000ms")", "succeeded", "", false},
    {"append", 320, R"("type":"append","payload":[1,2])", "succeeded", "", true},
    {"appendsoon", 50, R"("type":"append","payload":[1,2],"in":"%d000ms")", "succeeded", "", true},
    {"third", 50, R"("type":"third")", "succeeded", "", true},
    {"never", 40, R"("type":"never")", "dead", "exhausted", false},
    {"hang", 20, R"("type":"hang")", "dead", "exhausted", false},
    {"crash", 20, R"("type":"crash")", "dead", "poison", false},
};
constexpr int kJobs = 10'000;

const Kind& kind_of(const std::string& jid) {
    const std::string name = jid.substr(0, jid.find('-'));
    return *std::find_if(std::begin(kKinds), std::end(kKinds),
                         [&name](const Kind& kind) { return kind.name == name; });
}

int expected(const std::string& state) {
    int count = 0;
    for (const Kind& kind : kKinds)
        count += kind.state == state ? kind.count : 0;
    return count;
}

std::vector<std::string> mixed_jids() {
    std::vector<std::string> jids;
    for (const Kind& kind : kKinds)
        for (int i = 0; i < kind.count; ++i)
            jids.push_back(std::string(kind.name) + "-" + std::to_string(100'000 + i));
    std::shuffle(jids.begin(), jids.end(), std::mt19937(7));
    return jids;
}

std::string enqueue_line(const std::string& jid) {
    std::string rest = kind_of(jid).line;
    if (const size_t at = rest.find("%d"); at != rest.npos)
        rest.replace(at, 2, std::to_string(1 + (jid.back() - '0') % 3));
    // A line is sent again when jobqd was killed before its answer came; its job may be over by
    // then, and only the key says that it is the same.
    return "{\"id\":\"" + jid + "\",\"idempotency_key\":\"" + jid + "\"," + rest + "}\n";
}

std::string joined(const std::vector<std::string>& jids, const std::string& kind = "") {
    std::string text;
    for (const auto& jid : jids)
        if (kind.empty() || kind_of(jid).name == kind) text += jid + "\n";
    return text;
}

void write_handlers(const LiveDaemon& daemon) {
    const std::string witness = daemon.dir() / "witness";
    const std::string append = "printf '%s %s\\n' \"$JOBQ_JID\" \"$JOBQ_ATTEMPT\" >> " + witness;
    daemon.dir().write("append.sh", append + "\n");
    daemon.dir().write("third.sh", "[ \"$JOBQ_ATTEMPT\" -ge 3 ] || exit 1\n" + append + "\n");
}

// One line for each thing that is not as it should be; "" when all is well.
std::string wrong_jobs(const std::string& jsonl, const std::vector<std::string>& jids) {
    std::string wrong;
    std::istringstream lines(jsonl);
    size_t seen = 0;
    for (std::string line; std::getline(lines, line); ++seen) {
        const json job = json::parse(line);
        const std::string jid = job.at("jid");
        const Kind& kind = kind_of(jid);
        const bool good = seen < jids.size() && jid == jids[seen] &&
                          job.value("state", "") == kind.state &&
                          job.value("reason", "") == kind.reason &&
                          (kind.name != std::string("echo") || job.value("has_result", false));
        if (!good && wrong.size() < 4000) wrong += line + "\n";
    }
    if (seen != jids.size()) wrong += std::to_string(seen) + " jobs shown\n";
    return wrong;
}

std::string wrong_effects(const LiveDaemon& daemon, const std::vector<std::string>& jids) {
    std::set<std::string> done;
    std::istringstream lines(read_file(daemon.dir() / "witness"));
    for (std::string jid, attempt; lines >> jid >> attempt;)
        done.insert(jid);
    std::string wrong;
    for (const auto& jid : jids)
        if (kind_of(jid).has_effect != (done.count(jid) == 1)) wrong += jid + "\n";
    return wrong;
}

// Waits until the member of the stats is at least so much.
bool reaches(const LiveDaemon& daemon, const char* member, int64_t least) {
    return eventually([&] { return daemon.count(member) >= least; }, std::chrono::seconds(60));
}

}  // namespace

TEST_CASE("ten thousand mixed jobs end as they should though jobqd and Redis are killed") {
    LiveDaemon daemon(kConfig, {"--log-level", "error"});
    write_handlers(daemon);
    const auto jids = mixed_jids();
    REQUIRE(jids.size() == kJobs);
    std::string input;
    for (const auto& jid : jids)
        input += enqueue_line(jid);
    daemon.must({"queue", "pause", "held"});

    Ran enqueued;
    std::thread enqueuer([&] { enqueued = daemon.jobq({"enqueue", "--jsonl", "-", "-q"}, input); });
    const bool under_way = reaches(daemon, "total", 2'000);
    const int64_t pending_at_kill = daemon.count("pending");
    daemon.kill();
    daemon.start();
    enqueuer.join();
    REQUIRE(under_way);
    CHECK(pending_at_kill > 0);
    INFO(enqueued.err);
    REQUIRE(enqueued.status == 0);
    CHECK(enqueued.out == joined(jids));

    const int64_t over_before = daemon.count("succeeded");
    const pid_t redis = daemon.redis_pid();
    REQUIRE(redis > 0);
    ::kill(redis, SIGKILL);
    CHECK(over_before < expected("succeeded"));
    REQUIRE(reaches(daemon, "total", kJobs));
    CHECK(daemon.redis_pid() != redis);

    const std::string unwanted = joined(jids, "stay") + joined(jids, "hour");
    daemon.must({"cancel", "-", "-q"}, unwanted);
    daemon.must({"queue", "resume", "held"});
    CHECK(eventually([&] { return daemon.unfinished() == 0; }, std::chrono::seconds(90)));

    CHECK(wrong_jobs(daemon.must({"status", "-", "-o", "jsonl"}, joined(jids)), jids) == "");
    CHECK(wrong_effects(daemon, jids) == "");
    const json jobs = json::parse(daemon.must({"stats", "--json"})).at("jobs");
    INFO(jobs.dump());
    CHECK(jobs.at("total") == kJobs);
    CHECK(jobs.at("succeeded") == expected("succeeded"));
    CHECK(jobs.at("dead") == expected("dead"));
    CHECK(jobs.at("cancelled") == expected("cancelled"));
    int64_t sum = 0;
    for (const char* part :
         {"pending", "running", "dead", "succeeded", "cancelled", "expired", "dropped", "removed"})
        sum += jobs.at(part).get<int64_t>();
    CHECK(sum == jobs.at("enqueued").get<int64_t>());
    CHECK(daemon.stop() == 0);
}

}  // namespace jobq::test
