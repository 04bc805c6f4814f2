// HOST, HOST:PORT and [V6]:PORT: one reading, one form.
#include "core/net/host.h"

#include <catch2/catch.hpp>

using namespace jobq;

TEST_CASE("host: what is read, in its one form") {
    struct Row {
        std::string text, host;
        std::optional<int> port;
    };

    const Row rows[] = {
        {"localhost", "localhost", std::nullopt},
        {"Redis.Example:6379", "redis.example", 6379},
        {"my_redis:1", "my_redis", 1},
        {"redis.default.svc.cluster.local.:6379", "redis.default.svc.cluster.local.", 6379},
        {"10-node:80", "10-node", 80},
        {"node.10x:80", "node.10x", 80},
        {"127.0.0.1:0", "127.0.0.1", 0},
        {"127.0.0.1:65535", "127.0.0.1", 65'535},
        {"[::1]", "::1", std::nullopt},
        {"[2001:DB8:0:0::1]:7419", "2001:db8::1", 7419},
        {"[fe80::1%eth0.7]:7419", "fe80::1%eth0.7", 7419},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        auto read = parse_host_port(row.text);
        REQUIRE(read);
        CHECK(read->host == row.host);
        CHECK(read->port == row.port);
    }
    CHECK(parse_host("::1") == "::1");
    CHECK(parse_host("2001:DB8::0001") == "2001:db8::1");
}

TEST_CASE("host: what could be meant otherwise is refused, and never repeated") {
    using namespace std::string_literals;
    for (const std::string& text : {""s,
                                    ":"s,
                                    ":80"s,
                                    "h:"s,
                                    "h:x"s,
                                    "h:-1"s,
                                    "h:+1"s,
                                    "h: 1"s,
                                    "h:01"s,
                                    "h:00"s,
                                    "h:65536"s,
                                    "h:999999"s,
                                    "h:1:2"s,
                                    "::1"s,
                                    "::1:7419"s,
                                    "[::1"s,
                                    "[::1]7419"s,
                                    "[::1]:"s,
                                    "[]:1"s,
                                    "[h]:1"s,
                                    "[127.0.0.1]:1"s,
                                    "[::1%]:1"s,
                                    "[::1%a/b]:1"s,
                                    "::1]:1"s,
                                    "a b:1"s,
                                    "a/b:1"s,
                                    "u@h:1"s,
                                    "-a:1"s,
                                    "a-:1"s,
                                    "a..b:1"s,
                                    ".a:1"s,
                                    ".:1"s,
                                    "*:1"s,
                                    "h\0:1"s,
                                    "h\n:1"s,
                                    "127.1:1"s,
                                    "2130706433:1"s,
                                    "0x7f.1:1"s,
                                    "256.0.0.1:1"s,
                                    "1.2.3.4.5:1"s,
                                    "127.0.0.1.:1"s,
                                    "b\xC3\xBC"
                                    "cher:1"s,
                                    std::string(64, 'a') + ":1",
                                    std::string(254, 'a') + ":1"}) {
        CAPTURE(text);
        auto read = parse_host_port(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == ErrorCode::invalid);
        if (text.size() > 5) CHECK_THAT(read.error().text, !Catch::Contains(text));
    }
    for (const char* text : {"", "a:1", "[::1]", "a b", "127.1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_host(text));
    }
}

TEST_CASE("host: only this host's own loopback is one") {
    for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
        CHECK(is_loopback(host));
    for (const char* host : {"127.0.0.1.example", "localhost.example", "0.0.0.0", "::", "::2",
                             "::ffff:127.0.0.1", "192.0.2.1", ""}) {
        CAPTURE(host);
        CHECK_FALSE(is_loopback(host));
    }
    CHECK(host_text("::1") == "[::1]");
    CHECK(host_text("h") == "h");
}
