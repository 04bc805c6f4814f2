// load_config(): what a file means once it is read, merged over others and resolved.
#include <catch2/catch.hpp>
#include <filesystem>

#include "core/config/config.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using test::TempDir;

namespace {

Config loaded(const std::string& toml) {
    Loaded result = load_config_text("t.toml", toml);
    for (const auto& error : result.errors)
        FAIL_CHECK(error.to_string());
    return result.config;
}

std::vector<std::string> names(const PoolConfig& pool) {
    std::vector<std::string> result;
    for (const auto& queue : pool.queues)
        result.push_back(queue.name);
    return result;
}

}  // namespace

TEST_CASE("config: an empty file is the defaults", "[config]") {
    Config config = loaded("");

    CHECK(config.listen.unix_path.empty());
    CHECK(config.listen.connections == limits::kConnections);
    CHECK(config.redis.durability == Durability::fsync);
    CHECK(config.redis.name_space == "main");
    CHECK(config.stop_timeout_ms == 30'000);
    CHECK_FALSE(config.allow_run);
    CHECK(config.runner);
    CHECK(config.pools.empty());
    CHECK(config.types.empty());
}

TEST_CASE("config: every key reaches its member", "[config]") {
    Config config = loaded(R"(
state_dir = "/srv/jobq"
stop_timeout = "1m"
[listen]
unix = "/srv/s"
tcp = "127.0.0.1:0"
http = "[::1]:7420"
password_file = "/srv/pw"
tls_cert = "/srv/cert"
tls_key = "/srv/key"
old_password_hash = false
connections = 7
[redis]
url = "redis://me:pw@10.0.0.5:6379/2"
binary = "valkey-server"
durability = "everysec"
namespace = "blue"
max_memory = "1GiB"
[run]
allow = true
[server]
allow_flush = true
[runner]
start = false
[log]
level = "debug"
format = "json"
[trace]
endpoint = "https://otlp.example.com"
headers_file = "/srv/headers"
ca_file = "/srv/ca"
sample_ratio = 0.25
service_name = "mail jobs"
[pool.py]
kind = "child"
queues = { high = 3, low = 1 }
slots = 2
run = ["python3", "-u", "worker.py"]
[type.mail]
run = ["/bin/mail", "{payload}"]
cwd = "/tmp"
timeout = "30s"
grace = "1s"
retention = "2d"
max_attempts = 5
output_head = "1KiB"
output_tail = 0
output = "1MiB"
env = { LANG = "C", EMPTY = "" }
exit = { 1 = "dead", 2 = "retry", 3 = "success", 4 = "snooze" }
backoff = { base = "1s", factor = 3, max = "1m", jitter = 0.5 }
limits = { memory = "64MiB", cpu = "1500ms", files = 10, processes = 4, nice = 5 }
)");

    CHECK(config.state_dir == "/srv/jobq");
    CHECK(config.stop_timeout_ms == 60'000);
    CHECK(config.listen.unix_path == "/srv/s");
    CHECK(config.listen.tcp == "127.0.0.1:0");
    CHECK(config.listen.http == "[::1]:7420");
    CHECK(config.listen.password_file == "/srv/pw");
    CHECK(config.listen.tls_cert == "/srv/cert");
    CHECK(config.listen.tls_key == "/srv/key");
    CHECK_FALSE(config.listen.old_password_hash);
    CHECK(config.listen.connections == 7);
    CHECK(config.redis.url == "redis://me:pw@10.0.0.5:6379/2");
    CHECK(config.redis.binary == "valkey-server");
    CHECK(config.redis.durability == Durability::everysec);
    CHECK(config.redis.name_space == "blue");
    CHECK(config.redis.max_memory_bytes == 1 << 30);
    CHECK(config.allow_run);
    CHECK(config.allow_flush);
    CHECK_FALSE(config.runner);
    CHECK(config.log.level == "debug");
    CHECK(config.log.format == LogFormat::json);
    CHECK(config.trace ==
          TraceConfig{"https://otlp.example.com", "/srv/headers", "/srv/ca", 0.25, "mail jobs"});

    const PoolConfig& pool = config.pools.at("py");
    CHECK(pool.name == "py");
    CHECK(pool.kind == PoolKind::child);
    CHECK_FALSE(pool.strict);
    CHECK(pool.queues == std::vector<QueueWeight>{{"high", 3}, {"low", 1}});
    CHECK(pool.slots == 2);
    CHECK(pool.run == std::vector<std::string>{"python3", "-u", "worker.py"});

    const TypeConfig& type = config.types.at("mail");
    CHECK(type.run == std::vector<std::string>{"/bin/mail", "{payload}"});
    CHECK(type.cwd == "/tmp");
    CHECK(type.policy.timeout_ms == 30'000);
    CHECK(type.grace_ms == 1'000);
    CHECK(type.policy.retention_ms == 2 * 86'400'000);
    CHECK(type.policy.max_attempts == 5);
    CHECK(type.output_head_bytes == 1024);
    CHECK(type.output_tail_bytes == 0);
    CHECK(type.output_bytes == 1 << 20);
    CHECK(type.env == std::map<std::string, std::string>{{"LANG", "C"}, {"EMPTY", ""}});
    CHECK(type.exit == std::map<int, Outcome>{{1, Outcome::dead},
                                              {2, Outcome::failure},
                                              {3, Outcome::success},
                                              {4, Outcome::snooze}});
    CHECK(type.policy.backoff == Backoff{1'000, 3.0, 60'000, 0.5});
    CHECK(type.limits == ExecLimits{64 << 20, 2, 10, 4, 5});
}

TEST_CASE("config: a list of queues is strict order, as written", "[config]") {
    Config config = loaded("[pool.p]\nqueues = [\"z\", \"a\", \"m\"]\n");

    CHECK(config.pools.at("p").strict);
    CHECK(names(config.pools.at("p")) == std::vector<std::string>{"z", "a", "m"});
}

TEST_CASE("config: a later file wins key by key", "[config]") {
    TempDir dir;
    auto first = dir.write("a.toml",
                           "[pool.p]\nslots = 3\nqueues = [\"a\", \"b\"]\n"
                           "[type.t]\nrun = [\"x\"]\nenv = { A = \"1\", B = \"1\" }\n"
                           "backoff = { base = \"1s\", factor = 4 }\n");
    auto second = dir.write("b.toml",
                            "[pool.p]\nqueues = [\"c\"]\n"
                            "[type.t]\nenv = { B = \"2\" }\nbackoff = { base = \"2s\" }\n"
                            "[type.u]\nrun = [\"y\"]\n");

    Loaded result = load_config({first, second}, {});

    REQUIRE(result.errors.empty());
    CHECK(result.files == std::vector<std::string>{first, second});
    CHECK(result.config.pools.at("p").slots == 3);
    CHECK(names(result.config.pools.at("p")) == std::vector<std::string>{"c"});
    const TypeConfig& type = result.config.types.at("t");
    CHECK(type.run == std::vector<std::string>{"x"});
    CHECK(type.env == std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}});
    CHECK(type.policy.backoff->base_ms == 2'000);
    CHECK(type.policy.backoff->factor == 4.0);
    CHECK(result.config.types.count("u") == 1);
    CHECK(result.origin.at("pool.p.slots") == first + ":2");
    CHECK(result.origin.at("pool.p.queues") == second + ":2");
}

TEST_CASE("config: relative programs and directories start at their file", "[config]") {
    TempDir dir;
    std::filesystem::create_directory(dir / "sub");
    auto file = dir.write("sub/c.toml",
                          "[type.near]\nrun = [\"./handler\"]\ncwd = \"work\"\n"
                          "[type.above]\nrun = [\"../bin/x\", \"./not-a-program\"]\n"
                          "[type.bare]\nrun = [\"sh\"]\n"
                          "[pool.c]\nkind = \"child\"\nrun = [\"./child\"]\n"
                          "[redis]\nbinary = \"./redis\"\n");

    Loaded result = load_config({file}, {});

    REQUIRE(result.errors.empty());
    CHECK(result.config.types.at("near").run[0] == dir / "sub/handler");
    CHECK(result.config.types.at("near").cwd == dir / "sub/work");
    CHECK(result.config.types.at("above").run ==
          std::vector<std::string>{dir / "bin/x", "./not-a-program"});
    CHECK(result.config.types.at("bare").run[0] == "sh");
    CHECK(result.config.pools.at("c").run[0] == dir / "sub/child");
    CHECK(result.config.redis.binary == dir / "sub/redis");
}

TEST_CASE("config: the files of a user are jobqd.toml and conf.d in order", "[config]") {
    TempDir dir;
    std::filesystem::create_directories(dir / "jobq/conf.d");
    auto main = dir.write("jobq/jobqd.toml", "");
    auto ten = dir.write("jobq/conf.d/10-a.toml", "");
    auto two = dir.write("jobq/conf.d/20-b.toml", "");
    dir.write("jobq/conf.d/30-c.toml.bak", "");

    auto files = default_config_files(false, {{"XDG_CONFIG_HOME", dir.path()}});

    CHECK(files == std::vector<std::string>{main, ten, two});
    CHECK(default_config_files(false, {{"HOME", dir.path()}}).empty());
}
