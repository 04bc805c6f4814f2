// `jobq import faktory` with the real programs: a Redis filled as Faktory fills it, live and as a
// dump, and what becomes of its jobs in jobqd.
#include <signal.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base/time.h"
#include "core/store/link/redis_link.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"
#include "tests/support/sync_link.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Words = std::vector<std::string>;

constexpr const char* kNoPools = R"(
[runner]
start = false
[pool.threads]
kind = "thread"
queues = ["threads"]
slots = 1
)";

int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string in_seconds(int64_t ms) {
    char text[40];
    snprintf(text, sizeof text, "%.6f", double(ms) / 1000);
    return text;
}

// A Redis as Faktory leaves it.
class FaktoryRedis {
  public:
    void run(const Words& words) {
        Command command;
        for (const auto& word : words)
            command.add(word);
        const auto reply = run_task(reactor_, link_.call(std::move(command)));
        INFO(words[0]);
        REQUIRE(reply);
        REQUIRE_FALSE(reply->is_error());
    }

    std::string dump() {
        Command all("EVAL", std::string_view(R"(
            local out, keys = '', redis.call('KEYS', '*')
            table.sort(keys)
            for _, key in ipairs(keys) do
                out = out .. key .. redis.sha1hex(redis.call('DUMP', key)) .. ';'
            end
            return out)"),
                    int64_t(0));
        return run_task(reactor_, link_.call(std::move(all)))->text;
    }

    void push(const std::string& key, const std::string& queue, const std::string& payload) {
        run({"SADD", "queues", queue});
        run({"LPUSH", key, payload});
    }

    std::string path() const { return server_.socket_path(); }

    // Its file, written now.
    std::string rdb() {
        run({"SAVE"});
        return server_.dir() + "/dump.rdb";
    }

  private:
    TestReactor reactor_;
    RedisServer server_;
    SyncLink link_{server_.socket_path()};
};

// As Faktory stores it: compact, keys in its order.
std::string payload(const std::string& jid, const std::string& queue, const std::string& more = "",
                    const std::string& failure = "", const std::string& at = "") {
    return R"({"retry":25,)" + (failure.empty() ? "" : "\"failure\":" + failure + ",") +
           R"("jid":")" + jid + R"(","queue":")" + queue +
           R"(","jobtype":"Mail","created_at":"2026-11-01T10:00:00.123456789Z",)" +
           R"("enqueued_at":"2026-11-01T10:00:00.2Z",)" +
           (at.empty() ? "" : "\"at\":\"" + at + "\",") +
           R"("args":[1,"two",{"n":9007199254740993}])" + more + "}";
}

constexpr const char* kFailure =
    R"({"failed_at":"2026-11-01T11:00:00Z","next_at":"2026-11-01T12:00:00Z","message":"no route",)"
    R"("errtype":"NetError","backtrace":["a.rb:1","b.rb:2"],"retry_count":2,"remaining":23})";
constexpr const char* kExhausted =
    R"({"failed_at":"2026-11-01T11:00:00Z","message":"gave up","errtype":"NetError",)"
    R"("retry_count":25,"remaining":0})";

struct Times {
    int64_t now = now_ms();
    int64_t scheduled = now + 3'600'000, retry = now + 1'800'000, reserved = now + 900'000;
    int64_t died = now - 86'400'000;
};

void fill(FaktoryRedis& redis, const Times& times) {
    for (int i = 0; i < 250; ++i)
        redis.push("q:default", "default",
                   payload("default-" + std::to_string(1000 + i), "default",
                           i == 0 ? R"(,"custom":{"track":1},"reserve_for":600)" : ""));
    redis.push("old", "old", payload("old-style-1", "old"));  // the bare name: before 1.10
    redis.run({"SADD", "queues", "empty"});
    redis.run({"SADD", "paused", "old"});
    redis.run({"ZADD", "scheduled", in_seconds(times.scheduled),
               payload("scheduled-1", "default", "", "", format_rfc3339(times.scheduled))});
    redis.run({"ZADD", "retries", in_seconds(times.retry),
               payload("retrying-1", "default", "", kFailure)});
    const int64_t dead_score = times.died + 180LL * 86'400'000;
    redis.run({"ZADD", "dead", in_seconds(dead_score),
               payload("exhausted-1", "default", "", kExhausted)});
    redis.run({"ZADD", "working", in_seconds(times.reserved),
               R"({"job":)" + payload("reserved-1", "default") + R"(,"reserved_at":")" +
                   format_rfc3339(times.now) + R"(","expires_at":")" +
                   format_rfc3339(times.reserved) + R"(","wid":"w1"})"});
    redis.run({"ZADD", "working", in_seconds(times.now - 5'000),
               R"({"job":)" + payload("abandoned-1", "default") +
                   R"(,"reserved_at":"2026-11-01T10:00:00Z","expires_at":"2026-11-01T10:30:00Z",)"
                   R"("wid":"w1"})"});
    redis.run({"SET", "processed", "4711"});
    redis.run({"SET", "failures", "12"});
}

json status_of(const LiveDaemon& daemon, const std::string& jid) {
    const json status = json::parse(daemon.must({"status", jid, "--json"}));
    return status.is_array() ? status.at(0) : status;
}

json import_json(const LiveDaemon& daemon, const std::string& where, Words more = {}) {
    Words words{"import", "faktory", "--redis", where, "-o", "json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = daemon.jobq(words);
    INFO(ran.err);
    REQUIRE(ran.status == 0);
    return json::parse(ran.out);
}

int64_t sum(const json& report, const char* member) {
    int64_t total = 0;
    for (const auto& set : report.at("sets"))
        total += set.at(member).get<int64_t>();
    return total;
}

constexpr int kAll = 250 + 1 + 1 + 1 + 1 + 2;

// What every import of fill() leaves.
void check_imported(const LiveDaemon& daemon, const Times& times) {
    const json scheduled = status_of(daemon, "scheduled-1");
    INFO(scheduled.dump());
    CHECK(scheduled.at("state") == "scheduled");
    CHECK(scheduled.at("run_at") == format_rfc3339(times.scheduled));
    const json retrying = status_of(daemon, "retrying-1");
    INFO(retrying.dump());
    CHECK(retrying.at("state") == "retrying");
    CHECK(retrying.at("attempts") == 3);
    CHECK(contains(retrying.dump(), "no route"));
    CHECK(contains(retrying.dump(), format_rfc3339(times.retry)));
    const json dead = status_of(daemon, "exhausted-1");
    CHECK(dead.at("state") == "dead");
    CHECK(dead.at("reason") == "exhausted");
    CHECK(dead.at("attempts") == 26);
    CHECK(contains(dead.dump(), "gave up"));
    CHECK(status_of(daemon, "reserved-1").at("state") == "scheduled");
    CHECK(status_of(daemon, "abandoned-1").at("state") == "ready");
    CHECK(status_of(daemon, "old-style-1").at("state") == "ready");
    const json stats = json::parse(daemon.must({"stats", "--json"}));
    CHECK(stats.at("jobs").at("ready") == 252);
    CHECK(stats.at("jobs").at("scheduled") == 2);
    CHECK(stats.at("jobs").at("retrying") == 1);
    CHECK(stats.at("jobs").at("dead") == 1);
    CHECK(contains(daemon.must({"queue", "list", "--json"}), R"("paused":true)"));
}

}  // namespace

TEST_CASE("import: a live Faktory store comes over once, in order, and is not touched") {
    LiveDaemon daemon(kNoPools);
    FaktoryRedis redis;
    const Times times;
    fill(redis, times);
    const std::string before = redis.dump();

    const json dry = import_json(daemon, redis.path(), {"--dry-run"});
    CHECK(sum(dry, "found") == kAll);
    CHECK(sum(dry, "refused") == 0);
    CHECK(daemon.count("total") == 0);

    const json report = import_json(daemon, redis.path());
    INFO(report.dump());
    CHECK(sum(report, "found") == kAll);
    CHECK(sum(report, "stored") == kAll);
    CHECK(report.at("paused") == json::array({"old"}));
    CHECK(report.at("processed") == 4711);
    CHECK(report.at("changed").empty());
    check_imported(daemon, times);
    CHECK(redis.dump() == before);

    // The payload as it was, the order as it was; what ran meanwhile does not come again.
    const std::string order = daemon.dir() / "order";
    // With a limit a worker takes no job ahead, so it gives none back: those lose their place.
    const Ran drained = daemon.jobq({"work", "default", "--max-jobs", "251", "-q", "--slots", "1",
                                     "--", "sh", "-c", "echo $JOBQ_JID >> " + order + "; cat"});
    CHECK(drained.status == 0);
    CHECK(daemon.must({"result", "default-1000"}) == R"([1,"two",{"n":9007199254740993}])");
    std::string expected;
    for (int i = 0; i < 250; ++i)
        expected += "default-" + std::to_string(1000 + i) + "\n";
    CHECK(read_file(order) == expected + "abandoned-1\n");
    daemon.must({"retry", "exhausted-1"});

    const json again = import_json(daemon, redis.path());
    CHECK(sum(again, "stored") == 0);
    CHECK(sum(again, "known") == kAll);
    CHECK(daemon.count("total") == kAll);
    CHECK(daemon.count("succeeded") == 251);
    CHECK(status_of(daemon, "exhausted-1").at("state") == "ready");
}

TEST_CASE("import: a dump of Faktory's Redis is read by a server of its own, and left alone") {
    LiveDaemon daemon(kNoPools);
    FaktoryRedis redis;
    const Times times;
    fill(redis, times);
    const std::string file = redis.rdb(), bytes = read_file(file);
    const Ran ran = daemon.jobq({"import", "faktory", "--redis", file});
    INFO(ran.err << ran.out);
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "250 found      250 stored        0 known        0 refused"));
    CHECK(contains(ran.err, "paused, as in Faktory: old"));
    CHECK(contains(ran.err, "Faktory's counters are not imported: 4711 processed, 12 failures"));
    check_imported(daemon, times);
    CHECK(read_file(file) == bytes);
    CHECK(processes_with("dump.rdb") == 0);
}

TEST_CASE("import: a dump whose reading does not end is given up, and nothing is left behind") {
    LiveDaemon daemon(kNoPools);
    const TempDir bin;
    const std::string server = bin.write("redis-server", "#!/bin/sh\nexec sleep 7654\n");
    ::chmod(server.c_str(), 0755);
    const std::string dump = daemon.dir().write("slow.rdb", "REDIS0011");
    auto call = daemon.call({"import", "faktory", "--redis", dump, "--timeout", "200ms"});
    call.env["PATH"] = bin.path() + ":/usr/bin:/bin";
    const Ran ran = run_cli(call);
    INFO(ran.err);
    CHECK(ran.status == 124);
    CHECK(contains(ran.err, "takes too long to read " + dump));
    CHECK(processes_with("7654") == 0);
}

TEST_CASE("import: what can't be read is refused with its id and why, the rest comes over") {
    LiveDaemon daemon(kNoPools);
    FaktoryRedis redis;
    redis.push("q:default", "default", payload("good-job-1", "default"));
    redis.push("q:default", "default", "no json at all");
    redis.push("q:default", "default", "[1]");
    redis.push("q:default", "default", R"({"jid":"short","jobtype":"x","args":[]})");
    redis.push("q:default", "default", R"({"jid":"no-type-at-all","args":[]})");
    redis.push("q:default", "default",
               R"({"jid":"long-type-name","args":[],"jobtype":")" + std::string(300, 'x') + "\"}");
    redis.push("q:default", "default", payload("good-job-2", "default"));
    redis.run({"ZADD", "working", "1", R"({"wid":"w"})"});
    daemon.must({"enqueue", "Other", "--id", "good-job-2", "-q", "--queue", "w"});
    const Ran ran = daemon.jobq({"import", "faktory", "--redis", redis.path(), "-o", "json"});
    CHECK(ran.status == 1);
    const json report = json::parse(ran.out);
    INFO(report.dump(1));
    CHECK(sum(report, "stored") == 1);
    CHECK(sum(report, "refused") == 7);
    const std::string refused = report.at("refused").dump();
    CHECK(contains(refused, "good-job-2"));
    CHECK(contains(refused, "belongs to another job"));
    CHECK(contains(refused, "no-type-at-all"));
    CHECK(contains(refused, "jobs must have a jobtype parameter"));
    CHECK(contains(refused, "long-type-name"));
    CHECK(contains(refused, "jobs must have a reasonable jid parameter"));
    CHECK(contains(refused, "it is not the reservation of a job"));
    CHECK(status_of(daemon, "good-job-1").at("state") == "ready");
    const Ran text = daemon.jobq({"import", "faktory", "--redis", redis.path()});
    CHECK(text.status == 1);
    CHECK(contains(text.err, "refused: long-type-name of queue default: "));
}

TEST_CASE("import: wrong words, no Redis, no dump, no daemon: what and what to do") {
    LiveDaemon daemon(kNoPools);
    FaktoryRedis redis;
    const std::string text = daemon.dir().write("text", "hello");
    const std::string broken = daemon.dir().write("broken.rdb", "REDIS0099nonsense");

    struct Wrong {
        Words args;
        int status;
        std::string says;
    };

    const std::vector<Wrong> all{
        {{}, 2, "needs --redis, the place of Faktory's store"},
        {{"--redis", "/no/such/place"}, 66, "'/no/such/place' does not exist"},
        {{"--redis", "127.0.0.1:1"}, 69, "no Redis answers at 127.0.0.1:1"},
        {{"--redis", text}, 65, "is not a Redis dump"},
        {{"--redis", broken}, 65, "redis-server can't read '" + broken + "'"},
        {{"--redis", daemon.socket()}, 69, "lost the connection to Redis at"},
    };
    for (const auto& wrong : all) {
        Words words{"import", "faktory"};
        words.insert(words.end(), wrong.args.begin(), wrong.args.end());
        const Ran ran = daemon.jobq(words);
        INFO(wrong.says << "\n" << ran.err);
        CHECK(ran.status == wrong.status);
        CHECK(contains(ran.err, wrong.says));
    }
    CHECK(daemon.must({"import", "faktory", "--redis", redis.path(), "-q"}) != "");
    daemon.stop();
    CHECK(daemon.jobq({"import", "faktory", "--redis", redis.path()}).status == 69);
}

TEST_CASE("import: a store that is killed in the middle ends complete when it is run again") {
    LiveDaemon daemon(kNoPools);
    FaktoryRedis redis;
    constexpr int kJobs = 5'000;
    Words command{"LPUSH", "q:default"};
    redis.run({"SADD", "queues", "default"});
    for (int i = 0; i < kJobs; ++i)
        command.push_back(payload("many-" + std::to_string(10'000 + i), "default"));
    redis.run(command);
    auto call = daemon.call({"import", "faktory", "--redis", redis.path(), "-o", "json"});
    call.started = [&](int pid) {
        eventually([&] { return daemon.count("total") > 0; });
        ::kill(pid, SIGKILL);
    };
    run_cli(call);
    const int64_t before = daemon.count("total");
    daemon.kill();
    daemon.start();
    const json report = import_json(daemon, redis.path());
    CHECK(sum(report, "stored") + before == kJobs);
    CHECK(sum(report, "known") == before);
    CHECK(daemon.count("ready") == kJobs);
}

}  // namespace jobq::test
