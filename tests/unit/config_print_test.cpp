// JOBQ_* variables, print_config() and config_keys().
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "core/base/text.h"
#include "core/config/config.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using test::TempDir;

namespace {

using Environment = std::map<std::string, std::string>;

Loaded with_environment(const std::string& toml, const Environment& environment) {
    TempDir dir;
    return load_config({dir.write("c.toml", toml)}, environment);
}

std::string without_origins(const std::string& printed) {
    std::string text;
    for (auto line : split(printed, '\n'))
        text += std::string(trim(line.substr(0, line.find("  #")))) + "\n";
    return text;
}

}  // namespace

TEST_CASE("config environment: a variable wins over the files", "[config]") {
    Loaded loaded = with_environment("[listen]\ntcp = \"127.0.0.1:1\"\n[pool.my-pool]\nslots = 3\n",
                                     {{"JOBQ_LISTEN_TCP", "127.0.0.1:2"},
                                      {"JOBQ_STATE_DIR", "/s"},
                                      {"JOBQ_STOP_TIMEOUT", "5s"},
                                      {"JOBQ_RUN_ALLOW", "true"},
                                      {"JOBQ_REDIS_DURABILITY", "memory"},
                                      {"JOBQ_REDIS_MAX_MEMORY", "1MiB"},
                                      {"JOBQ_POOL_MY_POOL_SLOTS", "12"}});

    REQUIRE(loaded.errors.empty());
    CHECK(loaded.config.listen.tcp == "127.0.0.1:2");
    CHECK(loaded.config.state_dir == "/s");
    CHECK(loaded.config.stop_timeout_ms == 5'000);
    CHECK(loaded.config.allow_run);
    CHECK(loaded.config.redis.durability == Durability::memory);
    CHECK(loaded.config.redis.max_memory_bytes == 1 << 20);
    CHECK(loaded.config.pools.at("my-pool").slots == 12);
    CHECK(loaded.origin.at("listen.tcp") == "JOBQ_LISTEN_TCP");
}

TEST_CASE("config environment: errors name the variable", "[config]") {
    Loaded loaded = with_environment("", {{"JOBQ_LISTEN_CONNECTIONS", "many"},
                                          {"JOBQ_LISTEN_TPC", "127.0.0.1:1"},
                                          {"JOBQ_RUNNER_START", "1"}});

    REQUIRE(loaded.errors.size() == 2);
    CHECK(loaded.errors[0].to_string() ==
          "JOBQ_LISTEN_CONNECTIONS: connections must be a whole number, not \"many\"");
    CHECK(loaded.errors[1].to_string() ==
          "JOBQ_RUNNER_START: start must be true or false, not \"1\"");
}

TEST_CASE("config environment: what nobody knows is a warning, and a service link is nothing",
          "[config]") {
    Loaded loaded = with_environment("", {{"JOBQ_REDIS_PORT", "tcp://10.0.0.2:6379"},
                                          {"JOBQ_REDIS_PORT_6379_TCP", "tcp://10.0.0.2:6379"},
                                          {"JOBQ_REDIS_PORT_6379_TCP_ADDR", "10.0.0.2"},
                                          {"JOBQ_REDIS_SERVICE_HOST", "10.0.0.2"},
                                          {"JOBQ_REDIS_SERVICE_PORT", "6379"},
                                          {"JOBQ_REDIS_SERVICE_PORT_METRICS", "9121"},
                                          {"JOBQ_PORT", "udp://10.0.0.3:7419"},
                                          {"JOBQ_LISTEN_TPC", "127.0.0.1:1"},
                                          {"JOBQ_REDIS_PORT_X", "1"},
                                          {"JOBQ_VERSION", "9"}});
    CHECK(loaded.errors.empty());
    REQUIRE(loaded.warnings.size() == 3);
    CHECK(loaded.warnings[0].to_string() ==
          "JOBQ_LISTEN_TPC: is not a variable of jobqd and is ignored; did you mean "
          "JOBQ_LISTEN_TCP?");
    CHECK(loaded.warnings[2].to_string() ==
          "JOBQ_VERSION: is not a variable of jobqd and is ignored");
}

TEST_CASE("config environment: variables of jobs and of others are no configuration", "[config]") {
    Loaded loaded = with_environment("", {{"JOBQ_URL", "unix:/x"},
                                          {"JOBQ_JID", "j"},
                                          {"JOBQ_TYPE", "t"},
                                          {"JOBQ_QUEUE", "q"},
                                          {"JOBQ_OUTBOX", "/o"},
                                          {"JOBQ_SOMETHING_ELSE_ALTOGETHER", "1"},
                                          {"HOME", "/"}});

    CHECK(loaded.errors.empty());
    CHECK(loaded.origin.empty());
}

TEST_CASE("config flags: win over variables, and are checked like them", "[config]") {
    Loaded loaded =
        load_config({}, {{"JOBQ_LISTEN_TCP", "127.0.0.1:1"}, {"JOBQ_LOG_LEVEL", "warn"}},
                    {{"listen.tcp", "127.0.0.1:2"},
                     {"listen.http", "0.0.0.0:80"},
                     {"redis.url", "redis://"},
                     {"listen.unix", "s"}});

    CHECK(loaded.config.listen.tcp == "127.0.0.1:2");
    CHECK(loaded.config.log.level == "warn");
    CHECK(loaded.origin.at("listen.tcp") == "command line");
    CHECK(loaded.config.listen.unix_path == std::filesystem::current_path() / "s");
    REQUIRE(loaded.errors.size() == 2);
    for (const auto& error : loaded.errors)
        CHECK(error.to_string().starts_with("command line: "));
}

TEST_CASE("config print: what is printed loads again and prints the same", "[config]") {
    std::string toml = R"(
[listen]
unix = "/srv/a \"b\" c"
[redis]
max_memory = "3MiB"
[log]
format = "text"
[pool.a]
queues = { x = 2, "y.z" = 1 }
[pool."b.c"]
kind = "child"
run = ["p", "tab\there"]
[type.t]
run = ["/x", "{payload}", "é"]
max_attempts = 3
env = { A = "=", B = "line\nbreak", C = "\u007F\u0001\u2028" }
exit = { 75 = "retry", 100 = "dead" }
backoff = { base = "250ms", jitter = 0.125 }
limits = { memory = "1GiB", nice = -5 }
)";
    Loaded first = load_config_text("t", toml);
    REQUIRE(first.errors.empty());
    std::string printed = print_config(first);

    Loaded second = load_config_text("printed", printed);

    for (const auto& error : second.errors)
        FAIL_CHECK(error.to_string());
    CHECK(without_origins(print_config(second)) == without_origins(printed));
    CHECK(second.config.types.at("t").env.at("B") == "line\nbreak");
    CHECK(second.config.types.at("t").env.at("C") == "\x7f\x01\u2028");
    CHECK(second.config.types.at("t").policy.backoff == first.config.types.at("t").policy.backoff);
    CHECK(second.config.pools.at("b.c").run[1] == "tab\there");
}

TEST_CASE("config print: each value says where it came from", "[config]") {
    Loaded loaded =
        load_config_text("f.toml", "[pool.p]\nslots = 4\n[type.t]\nenv = { A = \"1\" }\n");
    loaded.config.listen.tcp = "127.0.0.1:9";
    loaded.origin["listen.tcp"] = "flag";

    std::string printed = print_config(loaded);
    auto origin_of = [&](const std::string& start) -> std::string {
        for (auto line : split(printed, '\n'))
            if (line.starts_with(start)) return std::string(line.substr(line.find("# ") + 2));
        return "no such line";
    };

    CHECK(origin_of("slots = 4") == "f.toml:2");
    CHECK(origin_of("kind = \"exec\"") == "default");
    CHECK(origin_of("env.A = \"1\"") == "f.toml:4");
    CHECK(origin_of("tcp = ") == "flag");
    CHECK(printed.find("[pool]\n") == std::string::npos);
}

TEST_CASE("config print: the password of Redis is not shown", "[config]") {
    Loaded loaded = load_config_text("t", "[redis]\nurl = \"redis://me:s3cret@h:1/0\"\n");

    std::string printed = print_config(loaded);

    CHECK(printed.find("s3cret") == std::string::npos);
    CHECK(printed.find("redis://me:***@h:1/0") != std::string::npos);
}

TEST_CASE("config print: a password of the environment is used and not shown", "[config]") {
    const std::string toml = "[listen]\ntcp = \"127.0.0.1:1\"\npassword_file = \"/etc/pw\"\n";
    Loaded text = with_environment(toml, {{"JOBQ_PASSWORD", "s3cret"}, {"FAKTORY_PASSWORD", "x"}});
    CHECK(text.errors.empty());
    CHECK(text.config.listen.password == "s3cret");
    CHECK(text.config.listen.password_file.empty());
    const std::string printed = print_config(text);
    CHECK(printed.find("s3cret") == std::string::npos);
    CHECK(printed.find("# JOBQ_PASSWORD") != std::string::npos);

    Loaded file = with_environment(toml, {{"FAKTORY_PASSWORD", "/run/pw"}});
    CHECK(file.config.listen.password.empty());
    CHECK(file.config.listen.password_file == "/run/pw");
    CHECK(with_environment(toml, {}).config.listen.password_file == "/etc/pw");
    CHECK(with_environment(toml, {{"JOBQ_PASSWORD", ""}}).config.listen.has_password());
}

TEST_CASE("config environment: systemd's credential is the password when nothing else is",
          "[config]") {
    TempDir dir;
    dir.write("jobqd.password", "x");
    const std::map<std::string, std::string> environment{{"CREDENTIALS_DIRECTORY", dir.path()}};
    CHECK(with_environment("", environment).config.listen.password_file == dir / "jobqd.password");
    CHECK(with_environment("[listen]\npassword_file = \"/p\"\n", environment)
              .config.listen.password_file == "/p");
    CHECK_FALSE(
        with_environment("", {{"CREDENTIALS_DIRECTORY", "/nowhere"}}).config.listen.has_password());
}

TEST_CASE("config keys: listed once each, the free part as NAME", "[config]") {
    const auto& keys = config_keys();
    std::set<std::string> unique(keys.begin(), keys.end());

    CHECK(unique.size() == keys.size());
    for (const char* key : {"state_dir", "listen.unix", "redis.namespace", "pool.NAME.queues",
                            "type.NAME.backoff.jitter", "type.NAME.limits.nice", "type.NAME.exit"})
        CHECK(unique.count(key) == 1);
    CHECK(unique.count("type.NAME.rate") == 0);
}

TEST_CASE("config environment: OpenTelemetry's variables count where nothing else is said",
          "[config]") {
    const std::map<std::string, std::string> otel{
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"}, {"OTEL_SERVICE_NAME", "mail"}};
    Loaded alone = with_environment("", otel);
    CHECK(alone.config.trace.endpoint == "http://collector:4318");
    CHECK(alone.config.trace.service_name == "mail");
    CHECK(print_config(alone).find("# OTEL_EXPORTER_OTLP_ENDPOINT") != std::string::npos);

    Loaded said = with_environment("[trace]\nendpoint = \"\"\nservice_name = \"jobs\"\n", otel);
    CHECK(said.config.trace.endpoint.empty());
    CHECK(said.config.trace.service_name == "jobs");
    auto own = otel;
    own["JOBQ_TRACE_ENDPOINT"] = "http://127.0.0.1:1";
    CHECK(with_environment("", own).config.trace.endpoint == "http://127.0.0.1:1");

    // What is for others, or nothing that jobqd could use, is no reason not to start.
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                            {"OTEL_SDK_DISABLED", "true"},
                                            {"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}}) {
        auto others = otel;
        others[name] = value;
        Loaded loaded = with_environment("", others);
        CHECK(loaded.errors.empty());
        CHECK(loaded.config.trace.endpoint.empty());
    }
}
