// Every error of a configuration is found at once, at its place, in words that help.
#include <algorithm>
#include <catch2/catch.hpp>

#include "core/config/config.h"
#include "tests/support/temp_dir.h"

using namespace jobq;
using test::TempDir;

namespace {

std::string errors_of(const std::string& toml) {
    std::string text;
    for (const auto& error : load_config_text("t", toml).errors)
        text += error.to_string() + "\n";
    return text;
}

}  // namespace

TEST_CASE("config errors: ten at once, each with its place", "[config]") {
    // clang-format off
    std::string toml =
        "stop_timeot = \"30s\"\n"                       // 1
        "[listen]\n"
        "tcp = 7419\n"                                  // 3
        "connections = 0\n"                             // 4
        "[redis]\n"
        "  durability = \"fast\"\n"                     // 6
        "[pool.default]\n"
        "queues = [\"ok\", \"not ok\"]\n"               // 8
        "slots = \"ten\"\n"                             // 9
        "[type.mail]\n"
        "run = [\"mail\", \"--json={payload}\"]\n"      // 11
        "timeout = \"30\"\n"                            // 12
        "exit = { 300 = \"dead\", 3 = \"perhaps\" }\n"  // 13, two
        "backof = { base = \"2s\" }\n";                 // 14
    // clang-format on

    CHECK(errors_of(toml) ==
          "t:1:1: unknown key \"stop_timeot\"; did you mean \"stop_timeout\"?\n"
          "t:3:7: tcp must be a string, not a whole number\n"
          "t:4:15: connections must be 1 to 1000000, not 0\n"
          "t:6:16: durability must be one of fsync everysec memory, not \"fast\"\n"
          "t:8:17: the queue name \"not ok\" must be 1 to 255 of A-Z a-z 0-9 . _ -\n"
          "t:9:9: slots must be a whole number, not \"ten\"\n"
          "t:11:16: {payload} must be a whole argument, not a part of "
          "\"--json={payload}\"\n"
          "t:12:11: timeout: \"30\" has no unit; use 30s, 30ms or 30m\n"
          "t:13:10: an exit status must be 0 to 255, not \"300\"\n"
          "t:13:28: exit 3 must be one of success, retry, dead or snooze, not \"perhaps\"\n"
          "t:14:1: unknown key \"backof\" in [type.mail]; did you mean \"backoff\"?\n");
}

TEST_CASE("config errors: an unknown key far from every known one gets no guess", "[config]") {
    CHECK(errors_of("[log]\nzzzzzzzz = 1\n") == "t:2:1: unknown key \"zzzzzzzz\" in [log]\n");
}

TEST_CASE("config errors: a section that is a value, and a value that is a section", "[config]") {
    CHECK(errors_of("listen = \"x\"\n") == "t:1:10: listen must be a section, not \"x\"\n");
    CHECK(errors_of("pool.default = 3\n") ==
          "t:1:16: default must be a section, not a whole number\n");
    CHECK(errors_of("[state_dir]\nx = 1\n") == "t:1:1: state_dir must be a string, not a table\n");
}

TEST_CASE("config errors: queues of the wrong form", "[config]") {
    CHECK(errors_of("[pool.p]\nqueues = \"a\"\n") ==
          "t:2:10: queues must be a list for strict order, [\"high\", \"low\"], or a table of "
          "weights, { high = 3, low = 1 }, not \"a\"\n");
    CHECK(errors_of("[pool.p]\nqueues = []\n") == "t:2:10: queues must name at least one queue\n");
    CHECK(errors_of("[pool.p]\nqueues = [\"a\", 2]\n") ==
          "t:2:16: a queue must be a string, not a whole number\n");
    CHECK(errors_of("[pool.p]\nqueues = [\"a\", \"a\"]\n") ==
          "t:2:16: the queue \"a\" is listed twice\n");
    CHECK(errors_of("[pool.p]\nqueues = { a = 0 }\n") ==
          "t:2:16: the weight of \"a\" must be 1 to 1000, not 0\n");
    CHECK(errors_of("[pool.p]\nqueues = { a = 1.5 }\n") ==
          "t:2:16: the weight of \"a\" must be a whole number, not a fraction\n");
}

TEST_CASE("config errors: a thread pool names built-in types alone", "[config]") {
    CHECK(errors_of("[pool.p]\nkind = \"thread\"\ntypes = [\"noop\", \"mail\"]\n")
              .find("a thread pool runs only the built-in types noop, echo, sleep and fail, not "
                    "\"mail\"") != std::string::npos);
    CHECK(errors_of("[pool.p]\nkind = \"thread\"\ntypes = [\"noop\"]\n") == "");
    CHECK(errors_of("[pool.p]\ntypes = [\"mail\", \"Mail::Job\"]\n") == "");
}

TEST_CASE("config errors: names, commands and variables", "[config]") {
    CHECK(errors_of("[type.\"a b\"]\ntimeout = \"1s\"\n") ==
          "t:1:7: the name \"a b\" must be 1 to 255 of A-Z a-z 0-9 . _ -\n");
    CHECK(errors_of("[type.a]\nrun = \"true\"\n") ==
          "t:2:7: run must be a list of strings: [\"program\", \"argument\"], not \"true\"\n");
    CHECK(errors_of("[type.a]\nrun = [\"{payload}\"]\n") ==
          "t:2:8: {payload} can't be the program in run\n");
    CHECK(errors_of("[type.a]\nrun = [\"\"]\n") ==
          "t:2:8: the first element of run must be a program\n");
    CHECK(errors_of("[type.a]\nenv = { \"A-B\" = \"\" }\n") ==
          "t:2:9: \"A-B\" is not a valid variable name\n");
    CHECK(errors_of("[type.a]\nenv = { JOBQ_JID = \"x\" }\n") ==
          "t:2:9: JOBQ_JID is set by jobq for every job\n");
    CHECK(errors_of("[type.a]\nenv = { A = 1 }\n") ==
          "t:2:13: A must be a string, not a whole number\n");
}

TEST_CASE("config errors: addresses, paths and URLs", "[config]") {
    CHECK(
        errors_of("[listen]\ntcp = \"7419\"\n") ==
        "t:2:7: tcp must be HOST:PORT such as \"127.0.0.1:7419\", not \"7419\": it has no port\n");
    CHECK(errors_of("[listen]\ntcp = \"0.0.0.0:7419\"\n") ==
          "t:2:7: tcp = \"0.0.0.0:7419\" is reachable from other hosts and requires a password "
          "(password_file) and TLS (tls_cert, tls_key); set the keys in [listen], or listen on "
          "127.0.0.1\n");
    CHECK(
        errors_of("[listen]\ntcp = \"[::]:1\"\npassword_file = \"/p\"\n").find("requires TLS (") !=
        std::string::npos);
    CHECK(errors_of("[listen]\ntcp = \"h:1\"\ntls_cert = \"/c\"\ntls_key = \"/k\"\n")
              .find("requires a password (password_file); set") != std::string::npos);
    CHECK(errors_of("[listen]\ntcp = \"0.0.0.0:7419\"\npassword_file = \"/p\"\n"
                    "tls_cert = \"/c\"\ntls_key = \"/k\"\n") == "");
    // A name that looks like loopback may be anywhere.
    CHECK(errors_of("[listen]\ntcp = \"127.example.org:1\"\n").find("other hosts") !=
          std::string::npos);
    for (const char* own : {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1"})
        CHECK(errors_of("[listen]\ntcp = \"" + std::string(own) + "\"\n").empty());
    CHECK(errors_of("[listen]\ntls_cert = \"/c\"\n") ==
          "t:2:12: TLS requires a certificate and its key: tls_key is not set\n");
    CHECK(errors_of("[listen]\nhttp = \"0.0.0.0:1\"\n") ==
          "t:2:8: http = \"0.0.0.0:1\" is reachable from other hosts and requires a password "
          "(password_file) and TLS (tls_cert, tls_key); set the keys in [listen], or listen on "
          "127.0.0.1\n");
    CHECK(errors_of("[listen]\nhttp = \"unix:/run/http\"\nhttp_hosts = \"a.example b\"\n").empty());
    CHECK(errors_of("[listen]\nhttp = \"unix:run/http\"\n").find("absolute") != std::string::npos);
    CHECK(errors_of("[listen]\nhttp_hosts = \"a/b\"\n").starts_with("t:2:14: http_hosts must be"));
    for (const char* good :
         {"http_origins = \"https://jobs.example http://a.example:8080 https://[::1]\"",
          "http_origins = \"\"", "http_proxies = \"127.0.0.1 10.0.0.0/8 fd00::/8 unix\"",
          "http_base_path = \"/jobq\"", "http_base_path = \"/a/b.c_~-/\"", "http_base_path = \"/\"",
          "http_base_path = \"\"", "http_open_metrics = true"})
        CHECK(errors_of("[listen]\n" + std::string(good) + "\n").empty());
    for (const char* bad :
         {"http_origins = \"jobs.example\"", "http_origins = \"https://jobs.example/\"",
          "http_origins = \"https://u:p@jobs.example\"", "http_origins = \"ftp://a\"",
          "http_origins = \"null\"", "http_origins = \"*\"", "http_proxies = \"proxy.example\"",
          "http_proxies = \"10.0.0.0/33\"", "http_proxies = \"127.0.0.1:80\"",
          "http_base_path = \"jobq\"", "http_base_path = \"/a//b\"", "http_base_path = \"//a\"",
          "http_base_path = \"/a/../b\"", "http_base_path = \"/a?b\"", "http_base_path = \"/%41\"",
          "http_base_path = \"https://a/b\""}) {
        INFO(bad);
        CHECK(errors_of("[listen]\n" + std::string(bad) + "\n").find(" must be ") !=
              std::string::npos);
    }
    CHECK(errors_of("[listen]\nhttp = \"127.0.0.1:70000\"\n").find("HOST:PORT") !=
          std::string::npos);
    CHECK(errors_of("[listen]\nunix = \"run/s\"\n") ==
          "t:2:8: unix must be an absolute path, not \"run/s\"\n");
    CHECK(errors_of("[listen]\nunix = \"/" + std::string(120, 'x') + "\"\n") ==
          "t:2:8: unix is 121 bytes long; the path of a socket can have 107\n");
    for (const char* url : {"http://x", "redis://", "redis://h:x", "redis://h:1/x", "unix:"}) {
        INFO(url);
        CHECK(errors_of("[redis]\nurl = \"" + std::string(url) + "\"\n")
                  .starts_with("t:2:7: url must be redis://"));
    }
    for (const char* url : {"redis://h", "redis://h:1", "redis://u:p@[::1]:1/3", "unix:/r.sock"}) {
        INFO(url);
        CHECK(errors_of("[redis]\nurl = \"" + std::string(url) + "\"\n").empty());
    }
}

TEST_CASE("config errors: what does not go together", "[config]") {
    CHECK(errors_of("[pool.p]\nkind = \"child\"\n") ==
          "t:1:7: the child pool p requires run, the command of each child\n");
    CHECK(errors_of("[pool.p]\nrun = [\"x\"]\n") ==
          "t:2:7: run is only valid in pools of kind child; in an exec pool, the type of a job "
          "says what runs\n");
    CHECK(errors_of("[type.run]\nrun = [\"x\"]\n").find("built in") != std::string::npos);
    CHECK(errors_of("[type.a]\nbackoff = { base = \"1m\", max = \"1s\" }\n") ==
          "t:2:1: backoff of a: max is less than base\n");
}

TEST_CASE("config errors: keys of later versions say so", "[config]") {
    CHECK(errors_of("[type.a]\nconcurrency = 4\nrate = \"1/s\"\n") ==
          "t:2:1: concurrency (a limit on jobs of one type at once) is not available in this "
          "version yet; remove the line\n"
          "t:3:1: rate (a limit on jobs of one type in a time) is not available in this version "
          "yet; remove the line\n");
}

TEST_CASE("config errors: numbers out of range and of the wrong kind", "[config]") {
    CHECK(errors_of("[type.a]\nmax_attempts = 1001\n") ==
          "t:2:16: max_attempts must be 1 to 1000, not 1001\n");
    CHECK(errors_of("[type.a.backoff]\njitter = 1.5\nfactor = nan\n")
              .starts_with("t:2:10: jitter must be 0 to 1, not 1.5\nt:3:10: factor must be 1 to"));
    CHECK(errors_of("[type.a]\ntimeout = 30\n") ==
          "t:2:11: timeout must be a duration such as \"30s\" or \"5m\", not a whole number\n");
    CHECK(errors_of("[type.a]\nretention = \"2000d\"\n") ==
          "t:2:13: retention must be 0s to 365d, not 2000d\n");
    CHECK(errors_of("[redis]\nmax_memory = true\n") ==
          "t:2:14: max_memory must be a size such as \"64KiB\", not true or false\n");
    CHECK(errors_of("[redis]\nmax_memory = -1\n").starts_with("t:2:14: max_memory: \"-1\""));
    CHECK(errors_of("[run]\nallow = 2026-11-22\n") ==
          "t:2:9: allow must be true or false, not a date\n");
}

TEST_CASE("config errors: a wrong value changes nothing", "[config]") {
    Loaded loaded = load_config_text("t", "[pool.p]\nslots = 0\nqueues = [\"a\", \"b c\"]\n");

    CHECK(loaded.errors.size() == 2);
    CHECK(loaded.config.pools.at("p").slots == 10);
    CHECK(loaded.config.pools.at("p").queues == std::vector<QueueWeight>{{"default", 1}});
}

TEST_CASE("config errors: syntax, encoding and files", "[config]") {
    TempDir dir;
    CHECK(errors_of("a = \n").starts_with("t:1:"));
    CHECK(errors_of("[log]\nlevel = \"info\"\nlevel = \"warn\"\n").starts_with("t:3:"));
    CHECK(errors_of("a = \"\xff\"\n") == "t: is not UTF-8 text\n");
    CHECK(errors_of(std::string(20'000, '[')) == "t: has a line of more than 16 KiB\n");
    auto missing = load_config({dir / "no.toml", dir.path()}, {});
    REQUIRE(missing.errors.size() == 2);
    CHECK(missing.errors[0].to_string() ==
          (dir / "no.toml") + ": can't be read: No such file or directory");
    CHECK(missing.errors[1].to_string() ==
          dir.path() + ": is a directory, not a configuration file");
}

TEST_CASE("config errors: those of several files come in the order of the files", "[config]") {
    TempDir dir;
    auto b = dir.write("b.toml", "x = 1\n");
    auto a = dir.write("a.toml", "y = 1\n");

    auto errors = load_config({b, a}, {}).errors;

    REQUIRE(errors.size() == 2);
    CHECK(errors[0].file == b);
    CHECK(errors[1].file == a);
}

TEST_CASE("config errors: webhooks", "[config]") {
    // clang-format off
    const std::string toml =
        "[webhook]\n"
        "allow = [\"hooks.example.com\", \"127.1\"]\n"        // 2
        "allow_private = [\"ftp://intranet\"]\n"              // 3
        "events = [\"succeeded\", \"failed\"]\n"              // 4
        "timeout = \"2m\"\n"                                  // 5
        "[type.mail]\n"
        "webhook = \"https://a:b@hooks.example.com/\"\n";     // 7
    // clang-format on
    const std::string errors = errors_of(toml);
    for (const char* part :
         {"t:2:31: allow: \"127.1\" is not a host such as hooks.example.com: its host ends in a "
          "number",
          "t:3:18: allow_private: \"ftp://intranet\" is not a host",
          "t:4:24: events: \"failed\" is not an end of a job",
          "t:5:11: ", "t:7:11: webhook is not a URL for a webhook: it contains credentials"})
        CHECK_THAT(errors, Catch::Contains(part));
    CHECK_THAT(errors_of("[webhook]\nallow = [\"hooks.example.com\"]\n"),
               Catch::Contains("t:2:9: webhooks must be signed; set secret_file in [webhook]"));
    CHECK_THAT(errors_of("[type.mail]\nwebhook = \"https://x.example/secret\"\n"),
               Catch::Contains("t:2:11: webhooks to https://x.example are not allowed"));
}

TEST_CASE("config errors: where traces go", "[config]") {
    for (const char* good :
         {"", "http://127.0.0.1:4318", "https://otlp.example.com/v1/traces", "http://[::1]:4318/x"})
        CHECK(errors_of("[trace]\nendpoint = \"" + std::string(good) + "\"\n") == "");
    for (const char* bad : {"127.0.0.1:4318", "grpc://h:4317", "http://", "http://h:0",
                            "http://h:99999", "http://h/?a=b", "http://h/#x", "http://a b/",
                            "http://h\\n/", "http://me:secret@h/", "http://h%41/"}) {
        CAPTURE(bad);
        const std::string errors = errors_of("[trace]\nendpoint = \"" + std::string(bad) + "\"\n");
        CHECK_THAT(errors, Catch::StartsWith("t:2:12: endpoint must be the URL of a collector, "
                                             "such as \"http://127.0.0.1:4318\": "));
        CHECK(errors.find("secret") == errors.npos);
    }
    const std::string headers = "\"\nheaders_file = \"/h\"\n";
    CHECK_THAT(errors_of("[trace]\nendpoint = \"http://otlp.example.com" + headers),
               Catch::Contains("t:2:12: endpoint = \"http://otlp.example.com\" would send the "
                               "headers of headers_file unencrypted; use https://"));
    CHECK(errors_of("[trace]\nendpoint = \"https://otlp.example.com" + headers) == "");
    CHECK(errors_of("[trace]\nendpoint = \"http://localhost:4318" + headers) == "");
    CHECK_THAT(errors_of("[trace]\nsample_ratio = 1.5\n"), Catch::Contains("t:2:16: sample_ratio"));
    CHECK_THAT(errors_of("[trace]\nservice_name = \"\"\n"),
               Catch::Contains("t:2:16: service_name"));
    CHECK_THAT(errors_of("[trace]\nendpint = \"\"\n"), Catch::Contains("endpoint"));
}
