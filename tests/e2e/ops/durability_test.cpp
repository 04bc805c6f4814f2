// What "stored" means is said with every job, can be asked for, and is never more than is true.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using nlohmann::json;

constexpr const char* kConfig = R"(
[runner]
start = false
[redis]
)";

std::string given(const LiveDaemon& daemon, const std::vector<std::string>& more = {}) {
    std::vector<std::string> args{"enqueue", "noop", "-o", "json"};
    args.insert(args.end(), more.begin(), more.end());
    const Ran ran = daemon.jobq(args);
    if (ran.status == 77 && contains(ran.err, "exceeds that of the store, which is "))
        return "refused";
    if (ran.status != 0) return ran.err;
    return json::parse(ran.out).at("durability");
}

std::vector<std::string> given_each(const LiveDaemon& daemon) {
    std::vector<std::string> all;
    for (const char* level : {"fsync", "everysec", "memory"})
        all.push_back(given(daemon, {"--durability", level}));
    return all;
}

using Given = std::vector<std::string>;

int redis_cli(const RedisServer& redis, const std::string& words) {
    return std::system(
        ("redis-cli -s " + redis.socket_path() + " " + words + " > /dev/null").c_str());
}

}  // namespace

TEST_CASE("the private Redis gives what is configured, and no job is stored that asks for more") {
    {
        LiveDaemon daemon(std::string(kConfig) + "durability = \"fsync\"\n");
        CHECK(given(daemon) == "fsync");
        CHECK(given_each(daemon) == Given{"fsync", "fsync", "fsync"});
    }
    {
        LiveDaemon daemon(std::string(kConfig) + "durability = \"everysec\"\n");
        CHECK(given_each(daemon) == Given{"refused", "everysec", "everysec"});
        CHECK(daemon.count("total") == 2);
    }
    LiveDaemon daemon(std::string(kConfig) + "durability = \"memory\"\n");
    CHECK(given_each(daemon) == Given{"refused", "refused", "memory"});
    CHECK(daemon.count("total") == 1);
    const Ran ran = daemon.jobq({"enqueue", "noop", "--durability", "fsync"});
    CHECK(contains(ran.err,
                   "durability fsync exceeds that of the store, which is memory: set "
                   "redis.durability = \"fsync\" in jobqd.toml and restart jobqd"));
    CHECK(daemon.jobq({"enqueue", "noop", "--durability", "most"}).status == 2);
    CHECK(json::parse(daemon.must({"stats", "--json"})).at("storage").at("durability") == "memory");
}

TEST_CASE("lines, PUSH, PUSHB and callbacks can ask for it too, each for itself") {
    LiveDaemon daemon(std::string(kConfig) +
                      "durability = \"everysec\"\n"
                      "[listen]\ntcp = \"127.0.0.1:0\"\n");
    const Ran bulk = daemon.jobq({"enqueue", "--jsonl", "-", "-q"},
                                 R"({"type":"noop","durability":"everysec"}
{"type":"noop","durability":"fsync"}
{"type":"noop"}
)");
    CHECK(bulk.status == 1);
    CHECK(contains(bulk.err, "line 2: FORBIDDEN durability fsync exceeds that of"));
    CHECK(daemon.count("total") == 2);

    Wire client(tcp_port(daemon));
    client.reply();  // the greeting
    REQUIRE(client.ask("HELLO {\"v\":2}") == ok());
    CHECK(client.ask(R"(PUSH {"jid":"durable-1","jobtype":"noop","args":[],)"
                     R"("custom":{"durability":"everysec"}})") == "+OK");
    const std::string no = client.ask(R"(PUSH {"jid":"durable-2","jobtype":"noop","args":[],)"
                                      R"("custom":{"durability":"fsync"}})");
    CHECK(no.starts_with("-ERR durability fsync exceeds that of the store, which is everysec"));
    CHECK(client
              .ask(R"(PUSH {"jid":"durable-3","jobtype":"noop","args":[],)"
                   R"("custom":{"durability":"best"}})")
              .starts_with("-ERR durability must be one of fsync, everysec and memory"));
    const std::string many = client.ask(R"(PUSHB [{"jid":"durable-4","jobtype":"noop","args":[]},)"
                                        R"({"jid":"durable-5","jobtype":"noop","args":[],)"
                                        R"("custom":{"durability":"fsync"}},)"
                                        R"({"jid":"durable-6","jobtype":"noop","args":[]}])");
    CHECK(contains(many, "\"durable-5\":\"durability fsync"));
    CHECK_FALSE(contains(many, "durable-4"));
    CHECK_FALSE(contains(many, "durable-6"));
    CHECK(daemon.count("total") == 5);
    CHECK(client
              .ask(R"(BATCH NEW {"success":{"jobtype":"noop","args":[],)"
                   R"("custom":{"durability":"fsync"}}})")
              .starts_with("-ERR success callback: durability fsync exceeds"));
}

TEST_CASE("of an external Redis jobqd says what its settings say, also when they change") {
    RedisServer redis({true, {}});
    LiveDaemon daemon(kConfig, {"--redis", "unix:" + redis.socket_path()});
    CHECK(given_each(daemon) == Given{"fsync", "fsync", "fsync"});
    REQUIRE(redis_cli(redis, "config set appendfsync everysec") == 0);
    redis.kill();  // which loses the setting, and is met by a new connection
    redis.start();
    CHECK(eventually([&] { return given(daemon) == "fsync"; }));
    REQUIRE(redis_cli(redis, "config set no-appendfsync-on-rewrite yes") == 0);
    // Asked again while jobs come, every ten seconds.
    CHECK(eventually([&] { return given(daemon) == "memory"; }, std::chrono::seconds(20)));
    const Ran ran = daemon.jobq({"enqueue", "noop", "--durability", "everysec"});
    CHECK(ran.status == 77);
    CHECK(contains(ran.err, "its Redis needs appendonly yes"));
}

TEST_CASE("an external Redis that keeps nothing, or says nothing, counts as memory") {
    RedisServer redis;
    {
        LiveDaemon daemon(kConfig, {"--redis", "unix:" + redis.socket_path()});
        CHECK(given_each(daemon) == Given{"refused", "refused", "memory"});
    }
    REQUIRE(redis_cli(redis, "config set appendonly yes") == 0);
    REQUIRE(redis_cli(redis, "config set appendfsync always") == 0);
    REQUIRE(redis_cli(redis, "acl setuser jobq on '>secret' '~*' '&*' +@all -config") == 0);
    LiveDaemon daemon(kConfig, {"--redis", "unix://jobq:secret@" + redis.socket_path()});
    CHECK(given_each(daemon) == Given{"refused", "refused", "unknown"});
}

}  // namespace jobq::test
