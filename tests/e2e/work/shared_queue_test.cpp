// One queue, shared by pools of jobqd, `jobq work` and Faktory clients at two daemons on one store:
// each job goes to who runs its type, in order, at once, and nobody else ever has it.
#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/http_client.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/worker_process.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using nlohmann::json;

const std::string kHttp = "[listen]\nhttp = \"unix:{dir}/http\"\n";

std::string config(const RedisServer& redis) {
    return kHttp + "[redis]\nurl = \"unix:" + redis.socket_path() + R"("
[pool.threads]
kind = "thread"
slots = 2
types = ["echo", "sleep"]
[pool.commands]
slots = 2
[type.command]
run = ["/bin/true"]
)";
}

void push(Wire& wire, const std::string& type, const std::string& jid) {
    REQUIRE(wire.ask(R"(PUSH {"jobtype":")" + type + R"(","queue":"default","args":[],"jid":")" +
                     jid + "\"}") == "+OK");
}

int64_t started(const FaktoryServer& server, const std::string& type) {
    const std::string text = HttpClient(server.daemon.dir() / "http").ask("GET", "/metrics").body;
    const std::string line = "jobq_jobs_started_total{queue=\"default\",type=\"" + type + "\"} ";
    const size_t at = text.find(line);
    return at == text.npos ? 0 : std::stoll(text.substr(at + line.size()));
}

}  // namespace

TEST_CASE(
    "a Faktory worker that waits beside pools and workers of jobqd is woken at once, in order") {
    RedisServer redis;
    FaktoryServer a(config(redis)), b(config(redis));
    WorkerProcess remote(b.daemon, {"default", "--type", "remote", "--", "/bin/true"});
    REQUIRE(remote.is_ready());
    Wire worker = a.worker("w1"), near = a.client(), far = b.client();
    constexpr int kJobs = 120;
    for (int i = 0; i < kJobs; ++i) {
        const std::string n = std::to_string(i), jid = "a-mail-" + n;
        Wire& pusher = i % 2 ? near : far;
        if (i % 20 == 0)  // while the Faktory worker, which runs any type, does not wait
            for (const std::string type : {"echo", "remote", "command"}) {
                push(pusher, type, "other-" + type + n);
                a.daemon.must({"wait", "other-" + type + n, "--timeout", "20s"});
            }
        REQUIRE(worker.send("FETCH default\r\n"));
        push(pusher, "mail", jid);
        // Nobody is late: an answer without a job would come before the watchdog looks.
        REQUIRE(json::parse(worker.reply()).at("jid") == jid);
        REQUIRE(worker.ask("ACK {\"jid\":\"" + jid + "\"}") == "+OK");
    }
    CHECK(eventually([&] { return a.daemon.count("succeeded") == kJobs + 6 + 6 + 6; }));
    CHECK(started(a, "mail") == kJobs);
    CHECK(started(b, "mail") == 0);
    CHECK(started(a, "echo") + started(b, "echo") == 6);
    CHECK(started(b, "remote") == 6);
    CHECK(started(a, "command") + started(b, "command") == 6);
    for (const auto* server : {&a, &b})
        CHECK(json::parse(server->daemon.must({"stats", "--json"})).at("watchdog_woke") == 0);
}

TEST_CASE("jobs that a pool passes over keep their order for a Faktory worker that comes later") {
    FaktoryServer server(kHttp + R"(
[runner]
start = false
[pool.threads]
kind = "thread"
slots = 1
)");
    Wire wire = server.client();
    for (int i = 0; i < 10; ++i) {
        push(wire, "mail", "a-mail-" + std::to_string(i));
        push(wire, "noop", "a-noop-" + std::to_string(i));
    }
    CHECK(eventually([&] { return server.daemon.count("succeeded") == 10; }));
    for (int i = 0; i < 10; ++i) {
        const std::string jid = json::parse(wire.ask("FETCH default")).at("jid");
        CHECK(jid == "a-mail-" + std::to_string(i));
        CHECK(wire.ask("ACK {\"jid\":\"" + jid + "\"}") == "+OK");
    }
    CHECK(started(server, "mail") == 10);
    CHECK(started(server, "noop") == 10);
}

TEST_CASE("jobs named like the built-in types are the clients', where no pool names them") {
    FaktoryServer server("[runner]\nstart = false\n");
    Wire wire = server.client();
    for (const char* type : {"noop", "echo", "sleep", "fail"})
        push(wire, type, std::string("a-job-of-") + type);
    for (const char* type : {"noop", "echo", "sleep", "fail"}) {
        CHECK(json::parse(wire.ask("FETCH default")).at("jid") == std::string("a-job-of-") + type);
        CHECK(wire.ask(std::string("ACK {\"jid\":\"a-job-of-") + type + "\"}") == "+OK");
    }
}

TEST_CASE("a type that a reload gives to a pool runs at once, though it was passed over") {
    LiveDaemon daemon("[pool.one]\n[type.first]\nrun = [\"/bin/true\"]\n");
    daemon.must({"enqueue", "second", "--id", "second-job-1"});
    daemon.must({"enqueue", "first", "--id", "first-job-1", "--wait"});
    CHECK(daemon.states({"second-job-1"})[0] == "ready");
    daemon.write_config("[pool.one]\n[type.second]\nrun = [\"/bin/true\"]\n");
    daemon.signal(SIGHUP);
    CHECK(eventually([&] { return daemon.states({"second-job-1"})[0] == "succeeded"; }));
}

}  // namespace jobq::test
