// A Redis that answers and does not write: too few replicas, a user that may not, the old master
// after a failover behind one address. What ends meanwhile is recorded once when it writes again,
// nothing runs a second time, not after a restart either, and everybody is told why.
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

#include "tests/support/http_receiver.h"
#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/http_kit.h"
#include "tests/support/live/webhook_kit.h"
#include "tests/support/redis_filter.h"
#include "tests/support/redis_server.h"
#include "tests/support/sync_link.h"

namespace jobq::test {
namespace {

using Clock = std::chrono::steady_clock;

// How long it refuses.
std::chrono::milliseconds spell() {
    const char* longer = std::getenv("JOBQ_REFUSED_SECONDS");
    return std::chrono::milliseconds(longer ? std::atoi(longer) * 1'000 : 800);
}

constexpr int kUnavailable = 69;

std::string config(const std::string& secrets, int receiver) {
    return webhook_config(secrets, receiver) +
           "[listen]\ntcp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n"
           "[run]\nallow = true\n[pool.shell]\nkind = \"exec\"\nqueues = [\"shell\"]\nslots = 4\n";
}

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    return lines;
}

int count_in(const std::string& text, const std::string& part) {
    int count = 0;
    for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// jobqd on `path`, and jobs of every kind that end, or are due, soon.
struct Busy {
    explicit Busy(const std::string& path)
        : daemon(config(secrets.dir.path(), receiver.port()),
                 {"--log-level", "info", "--redis", "unix:" + path}) {}

    static constexpr int kOfEach = 3;

    void begin() {
        for (int i = 0; i < kOfEach; ++i) {
            const std::string n = std::to_string(i);
            daemon.must({"run", "--queue", "shell", "--id", "shell-job-" + n, "--webhook",
                         receiver.url(), "--", "sh", "-c",
                         "echo shell-" + n + " >> " + ran() + "; while [ ! -e " + go() +
                             " ]; do sleep 0.05; done; echo end-" + n + " >> " + ran()});
            jids.push_back("shell-job-" + n);
        }
        worker.emplace(tcp_port(daemon));
        REQUIRE(contains(worker->reply(), "+HI"));
        REQUIRE(worker->ask(R"(HELLO {"v":2,"wid":"far","hostname":"h","pid":1,"labels":[]})") ==
                ok());
        REQUIRE(worker->ask("PUSH " + job_of("far-job-1", "far", ",\"custom\":{\"n\":1}")) == ok());
        REQUIRE(contains(worker->ask("FETCH far"), "far-job-1"));
        jids.push_back("far-job-1");
        daemon.must({"enqueue", "noop", "--id", "told-job-1", "--webhook", receiver.url()});
        jids.push_back("told-job-1");
        REQUIRE(eventually(
            [&] { return lines_of(ran()).size() == size_t(kOfEach) && receiver.count() == 1; }));
        // Last: these end by themselves, while it refuses.
        for (int i = 0; i < kOfEach; ++i) {
            jids.push_back("thread-job-" + std::to_string(i));
            daemon.must({"enqueue", "sleep", "--id", jids.back(), "--payload", R"({"ms":900})",
                         "--webhook", receiver.url()});
        }
    }

    // The jobs end now.
    void end_jobs() {
        daemon.dir().write("go", "");
        let_go = true;
        REQUIRE(worker->send("ACK {\"jid\":\"far-job-1\"}\r\n"));
    }

    // While it refuses: who asks is told.
    void check_told(const std::string& reason) {
        REQUIRE(eventually([&] { return ready().status == 503; }));
        const auto body = Json::parse(ready().body);
        CHECK(body.at("status") != "ready");
        CHECK_FALSE(body.at("reason").get<std::string>().empty());
        const std::string metrics = ask("/metrics").body;
        CHECK(contains(metrics, "jobq_redis_writes_refused{reason=\"" + reason + "\"} 1"));
        CHECK(contains(metrics, "jobq_ready 0"));
    }

    void enqueue_until(Clock::time_point until) {
        int n = 0;
        while (Clock::now() < until) {
            const std::string id = "meanwhile-" + std::to_string(++n);
            const Ran refused = daemon.jobq({"enqueue", "noop", "--id", id});
            INFO(refused.err);
            CHECK((refused.status == kUnavailable || refused.status == 75));
            refused_ids.push_back(id);
            const auto answer = post(id);
            CHECK(answer.status == 503);
            CHECK(answer.headers.count("retry-after") == 1);
        }
    }

    // All of it ended once, and stays so.
    void check_well() {
        CHECK(eventually([&] { return ready().status == 200; }, std::chrono::seconds(15)));
        CHECK(eventually([&] { return daemon.unfinished() == 0; }, std::chrono::seconds(30)));
        const std::string acked = worker->reply();
        CHECK((acked == ok() || contains(acked, "keeps it")));
        check_once();
        CHECK(eventually([&] { return delivered().size() == size_t(2 * kOfEach + 1); }));
        CHECK(receiver.count() == size_t(2 * kOfEach + 1));
        CHECK_FALSE(contains(ask("/metrics").body, "jobq_redis_writes_refused{"));
        daemon.stop();
        daemon.start();
        REQUIRE(eventually([&] { return daemon.jobq({"enqueue", "noop", "--wait"}).status == 0; }));
        CHECK(daemon.unfinished() == 0);
        check_once();
        CHECK(receiver.count() == size_t(2 * kOfEach + 1));
        for (const auto& id : refused_ids)
            CHECK(daemon.jobq({"status", id}).status == 3);
    }

    void check_once() const {
        for (const auto& state : daemon.states(jids))
            CHECK(state == "succeeded");
        const auto lines = lines_of(ran());
        CHECK(lines.size() == size_t(2 * kOfEach));
        CHECK(std::set<std::string>(lines.begin(), lines.end()).size() == lines.size());
        CHECK(daemon.count("dead") == 0);
        CHECK(daemon.count("retrying") == 0);
    }

    std::set<std::string> delivered() const {
        std::set<std::string> told;
        for (const auto& request : receiver.requests())
            told.insert(body_of(request).at("jid").get<std::string>());
        return told;
    }

    HttpAnswer ask(const std::string& target) const {
        HttpClient client(http_port(daemon));
        return client.ask("GET", target);
    }

    HttpAnswer ready() const { return ask("/readyz"); }

    HttpAnswer post(const std::string& id) const {
        HttpClient client(http_port(daemon));
        return client.ask("POST", "/api/v1/jobs", R"({"type":"noop","jid":")" + id + "\"}",
                          {"Content-Type: application/json"});
    }

    std::string ran() const { return daemon.dir() / "ran"; }

    std::string go() const { return daemon.dir() / "go"; }

    std::atomic<bool> let_go{false};
    // The first delivery is under way while Redis refuses.
    HttpReceiver receiver{[this](const ReceivedRequest&) {
        eventually([this] { return let_go.load(); }, std::chrono::seconds(20));
        return HttpReceiver::reply(204);
    }};
    Secrets secrets;
    LiveDaemon daemon;
    std::optional<Wire> worker;
    std::vector<std::string> jids, refused_ids;
};

// Has a Redis listen on a port of loopback. One that was free may be taken by another test before
// it does: then on the next.
std::string open_port(SyncLink& redis) {
    for (int i = 0; i < 50; ++i) {
        const std::string port = [] {
            HttpReceiver taken([](const ReceivedRequest&) { return std::string(); });
            return std::to_string(taken.port());
        }();
        if (redis.command("CONFIG", "SET", "port", port).kind != Reply::Kind::error) return port;
    }
    throw std::runtime_error("no free port");
}

}  // namespace

TEST_CASE("jobs that end while Redis has too few replicas end once") {
    RedisServer redis;
    SyncLink admin(redis.socket_path());
    Busy busy(redis.socket_path());
    busy.begin();
    const auto until = Clock::now() + spell();
    admin.command("CONFIG", "SET", "min-replicas-to-write", "1");
    busy.end_jobs();
    busy.check_told("noreplicas");
    CHECK(contains(busy.daemon.must({"stats"}), "writes refused"));
    const auto stats = Json::parse(busy.daemon.must({"stats", "--json"})).at("storage");
    CHECK(stats.at("state") == "refused");
    CHECK(stats.at("reason") == "noreplicas");
    CHECK(busy.daemon.jobq({"ping"}).status == 75);
    busy.enqueue_until(until);
    admin.command("CONFIG", "SET", "min-replicas-to-write", "0");
    busy.check_well();
    CHECK(count_in(busy.daemon.log(), "redis.writes_refused") == 1);
    CHECK(count_in(busy.daemon.log(), "redis.writes_ok") == 1);
}

TEST_CASE("a jobqd that is stopped while Redis refuses has the ends of its jobs recorded") {
    RedisServer redis;
    SyncLink admin(redis.socket_path());
    LiveDaemon daemon("[run]\nallow = true\n[pool.shell]\nkind = \"exec\"\nslots = 2\n",
                      {"--redis", "unix:" + redis.socket_path()});
    const std::string ran = daemon.dir() / "ran", go = daemon.dir() / "go";
    daemon.must({"run", "--id", "stopped-job-1", "--", "sh", "-c",
                 "echo began >> " + ran + "; while [ ! -e " + go +
                     " ]; do sleep 0.05; done; echo ended >> " + ran});
    REQUIRE(eventually([&] { return lines_of(ran).size() == 1; }));
    admin.command("CONFIG", "SET", "min-replicas-to-write", "1");
    daemon.dir().write("go", "");
    REQUIRE(eventually([&] { return lines_of(ran).size() == 2; }));
    daemon.signal(SIGTERM);
    // Longer than last reports take when nothing is wrong.
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(4'500));
        SyncLink again(redis.socket_path());
        again.command("CONFIG", "SET", "min-replicas-to-write", "0");
    });
    CHECK(daemon.wait_end(25));
    later.join();
    daemon.start();
    CHECK(daemon.must({"wait", "stopped-job-1"}).find("succeeded") != std::string::npos);
    CHECK(lines_of(ran) == std::vector<std::string>{"began", "ended"});
}

TEST_CASE("jobs that end while jobqd's user of Redis may not write end once") {
    RedisServer redis;
    SyncLink admin(redis.socket_path());
    admin.command("ACL", "SETUSER", "admin", "on", ">secret", "~*", "&*", "+@all");
    admin.command("AUTH", "admin", "secret");
    Busy busy(redis.socket_path());
    busy.begin();
    const auto until = Clock::now() + spell();
    const char* taken = GENERATE("-evalsha", "-hset");
    admin.command("ACL", "SETUSER", "default", taken);
    busy.end_jobs();
    busy.check_told("noperm");
    busy.enqueue_until(until);
    admin.command("ACL", "SETUSER", "default", "+@all");
    busy.check_well();
}

TEST_CASE("a failover behind one address: the old master is left, though it answers") {
    const RedisServerOptions options{false,
                                     {"--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"}};
    RedisServer first(options), second(options);
    SyncLink a(first.socket_path()), b(second.socket_path());
    const std::string port_a = open_port(a), port_b = open_port(b);
    b.command("REPLICAOF", "127.0.0.1", port_a);
    RedisFilter forwarder(first.socket_path());
    const auto in_step = [&] {
        const std::string text = b.command("INFO", "replication").text;
        const auto offset_of = [](const std::string& info) {
            const size_t at = info.find("master_repl_offset:");
            return info.substr(at, info.find('\r', at) - at);
        };
        return contains(text, "master_link_status:up") &&
               offset_of(text) == offset_of(a.command("INFO", "replication").text);
    };
    Busy busy(forwarder.path());
    busy.begin();
    REQUIRE(eventually(in_step));
    const auto until = Clock::now() + spell();
    a.command("REPLICAOF", "127.0.0.1", port_b);
    busy.end_jobs();
    busy.check_told("readonly");
    busy.enqueue_until(until);
    b.command("REPLICAOF", "NO", "ONE");
    forwarder.move_to(second.socket_path());
    const auto listens_there = [&] {
        return contains(b.command("PUBSUB", "CHANNELS").items.empty()
                            ? ""
                            : b.command("PUBSUB", "CHANNELS").items[0].text,
                        "hint");
    };
    CHECK(eventually(listens_there));
    busy.check_well();
    CHECK(count_in(busy.daemon.log(), "READONLY") <= 3);
    CHECK(contains(busy.daemon.log(), "redis.link"));
}

}  // namespace jobq::test
