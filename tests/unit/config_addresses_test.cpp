// The check of a configuration accepts exactly the addresses that the start can use: whatever is in
// the table, both say the same, and no message shows a password.
#include <catch2/catch.hpp>

#include "core/config/config.h"
#include "core/net/endpoint.h"
#include "core/net/redis_url.h"
#include "core/net/web_url.h"

using namespace jobq;

namespace {

const std::string kParts[] = {
    "h",   "localhost",      "127.0.0.1", "127.1", "[::1]",        "[::1",
    "::1", "[fe80::1%eth0]", "my_redis",  "a..b",  "-a",           "a b",
    "*",   "0x7f000001",     "1.2.3.4.5", "h.",    "b\\u00fccher", "",
};
const std::string kPorts[] = {"", ":", ":0", ":1", ":01", ":65535", ":65536", ":+1", ":x", ":1:2"};
const std::string kLogins[] = {
    "",
    "@",
    "ann@",
    "ann:@",
    ":s3cret@",
    "ann:s3%40cret@",
    "ann:s3%2Fcret@",
    "ann:s3%3Fcret@",
    "ann:s3%23cret@",
    "ann:s3%25cret@",
    "ann:s3@cret@",
    "ann:s3/cret@",
    "ann:s3?cret@",
    "ann:s3#cret@",
    "ann:s3%cret@",
    "ann:6379/s3cret@",
};

std::string errors_of(const std::string& section, const std::string& key,
                      const std::string& value) {
    std::string text;
    std::string rest = section == "trace" ? ""
                       : section == "listen"
                           ? "password_file = \"/p\"\ntls_cert = \"/c\"\ntls_key = \"/k\"\n"
                           : "";
    for (const auto& error :
         load_config_text("t", "[" + section + "]\n" + rest + key + " = \"" + value + "\"\n")
             .errors)
        text += error.to_string() + "\n";
    return text;
}

// What TOML makes of the one escape in the table.
std::string meant(std::string text) {
    const size_t at = text.find("\\u00fc");
    return at == text.npos ? text : text.replace(at, 6, "\xC3\xBC");
}

template <class Start>
void agree(const std::string& section, const std::string& key, const std::string& value,
           Start start) {
    CAPTURE(section, key, value);
    const std::string errors = errors_of(section, key, value);
    const bool usable = value.empty() || bool(start(meant(value)));
    CHECK(errors.empty() == usable);
    CHECK_THAT(errors, !Catch::Contains("s3") && !Catch::Contains("cret"));
}

}  // namespace

TEST_CASE("config: an address that passes the check is one that jobqd can listen on") {
    for (const auto& host : kParts)
        for (const auto& port : kPorts)
            for (const std::string before : {"", "tcp://", "unix:", "unix:/", "/", "u@"}) {
                agree("listen", "tcp", before + host + port, parse_tcp_listen);
                agree("listen", "http", before + host + port, parse_listen);
            }
    agree("listen", "http", "unix:/" + std::string(106, 'x'), parse_listen);
    agree("listen", "http", "unix:/" + std::string(107, 'x'), parse_listen);
}

TEST_CASE("config: a Redis URL that passes the check is one that jobqd can connect to") {
    for (const std::string scheme : {"redis://", "unix://", "rediss://", "REDIS://", "", "http://"})
        for (const auto& login : kLogins)
            for (const auto& host : kParts)
                for (const std::string after : {"", ":1", ":0", "/", "/3", "/x", "/70000", "?db=1"})
                    agree("redis", "url", scheme + login + host + after, parse_redis_url);
    for (const std::string path : {"", "r", "/r", "///r", "//r", "/r?db=1", "/r?db=x", "/r?x=1"})
        agree("redis", "url", "unix:" + path, parse_redis_url);
    agree("redis", "url", "unix:/" + std::string(107, 'x'), parse_redis_url);
}

TEST_CASE("config: a collector's URL that passes the check is one that jobqd can send to") {
    for (const std::string scheme : {"http://", "https://", "ftp://", ""})
        for (const auto& login : kLogins)
            for (const auto& host : kParts)
                for (const std::string after : {"", ":1", ":0", "/", "/v1@x", "/ x"})
                    agree("trace", "endpoint", scheme + login + host + after, parse_web_url);
}
