// jobq doctor against a running jobqd whose Redis is damaged by hand: what is found, how it is
// told, what a repair does to the jobs; and beside jobs that flow.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/redis_server.h"
#include "tests/support/sync_link.h"

namespace jobq::test {
namespace {

constexpr const char* kToml = R"(
[pool.work]
kind = "thread"
queues = ["work"]
slots = 4
)";

struct Ward {
    RedisServer redis;
    SyncLink link{redis.socket_path()};
    LiveDaemon daemon{kToml, {"--redis", "unix:" + redis.socket_path()}};

    std::string key(const std::string& name) const { return "jobq:{main}:" + name; }

    std::string put(const std::string& queue) {
        Ran ran = daemon.jobq({"enqueue", "noop", "--queue", queue, "-q"});
        REQUIRE(ran.status == 0);
        return ran.out.substr(0, ran.out.find('\n'));
    }

    void flip_last_byte(const std::string& jid) {
        std::string body = link.command("HGET", key("j"), jid).text;
        body.back() = char(body.back() ^ 1);
        link.command("HSET", key("j"), jid, body);
    }
};

}  // namespace

TEST_CASE("doctor finds a healthy store healthy") {
    Ward t;
    t.put("work");
    Ran ran = t.daemon.jobq({"doctor"});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "healthy ("));
    ran = t.daemon.jobq({"doctor", "--json"});
    CHECK(ran.status == 0);
    CHECK(ran.out == "[]\n");
}

TEST_CASE("doctor finds a lost and a damaged job, with --fix one runs and the other is dead") {
    Ward t;
    std::string lost = t.put("later"), damaged = t.put("later");
    t.link.command("LREM", t.key("q:later"), 0, lost);
    t.flip_last_byte(damaged);
    Ran ran = t.daemon.jobq({"doctor"});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 1);
    CHECK(contains(ran.out, "found no_place " + lost + " (ready): a stored job is in no queue"));
    CHECK(contains(ran.out, "found damaged " + damaged + " (q:later): "));
    CHECK(contains(ran.out, "found 2 findings ("));
    CHECK(contains(ran.out, "`jobq doctor --fix` repairs them"));

    ran = t.daemon.jobq({"doctor", "--fix"});  // nobody can be asked
    CHECK(ran.status == 2);
    CHECK(contains(ran.err, "--yes"));
    ran = t.daemon.jobq({"doctor", "--fix", "--yes"});
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "repaired no_place " + lost));
    CHECK(contains(ran.out, "repaired 2 findings ("));
    ran = t.daemon.jobq({"doctor", "-o", "jsonl"});
    CHECK(ran.status == 0);
    CHECK(ran.out.empty());
    CHECK(contains(t.daemon.jobq({"status", lost}).out, "ready"));
    ran = t.daemon.jobq({"status", damaged});
    INFO(ran.out);
    CHECK(contains(ran.out, "dead"));
    CHECK(contains(ran.out, "corrupt"));
    CHECK(contains(ran.out, "checksum does not match"));
    CHECK(contains(ran.out, "jobq rm " + damaged));
    CHECK(contains(t.daemon.log(), "doctor.repaired"));
}

TEST_CASE("a job damaged while it waits is dead and never run, and says why") {
    Ward t;
    REQUIRE(t.daemon.jobq({"queue", "pause", "work"}).status == 0);
    std::string jid = t.put("work");
    t.flip_last_byte(jid);
    REQUIRE(t.daemon.jobq({"queue", "resume", "work"}).status == 0);
    Ran ran = t.daemon.jobq({"wait", jid, "--timeout", "20s"});
    CHECK(ran.status != 124);
    ran = t.daemon.jobq({"status", jid});
    INFO(ran.out);
    CHECK(contains(ran.out, "dead"));
    CHECK(contains(ran.out, "corrupt"));
    CHECK(contains(ran.out, "checksum does not match"));
    CHECK(contains(t.daemon.jobq({"list", "--state", "dead"}).out, jid));
    CHECK(contains(t.daemon.log(), "job.corrupt"));
}

TEST_CASE("doctor finds nothing while ten thousand jobs flow") {
    Ward t;
    std::atomic<bool> over = false;
    std::vector<Ran> looks;
    std::thread doctor([&] {
        while (!over)
            looks.push_back(t.daemon.jobq({"doctor"}));
    });
    Ran ran = t.daemon.jobq({"loadgen", "--jobs", "10000", "--queue", "work", "--type", "noop"});
    over = true;
    doctor.join();
    INFO(ran.out << ran.err);
    CHECK(ran.status == 0);
    CHECK(!looks.empty());
    for (const auto& look : looks) {
        INFO(look.out << look.err);
        CHECK(look.status == 0);
    }
}

TEST_CASE("without a daemon doctor says what to run") {
    CliCall call;
    call.args = {"--server", "unix:/nonexistent/q.sock", "doctor"};
    Ran ran = run_cli(call);
    CHECK(ran.status == 69);
    CHECK(contains(ran.err, "jobqd"));
}

}  // namespace jobq::test
