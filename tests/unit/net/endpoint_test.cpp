// Where a socket is: one grammar for who listens and who connects.
#include "core/net/endpoint.h"

#include <catch2/catch.hpp>

#include "cli/link/address.h"
#include "core/base/limits.h"

using namespace jobq;

TEST_CASE("endpoint: where to connect, as it is shown") {
    const std::pair<std::string, std::string> rows[] = {
        {"unix:/run/jobq.sock", "unix:/run/jobq.sock"},
        {"unix:///run/x", "unix:/run/x"},
        {"unix:run/a b?c#d%41@e", "unix:run/a b?c#d%41@e"},
        {"/run/x", "unix:/run/x"},
        {"tcp://127.0.0.1:7419", "tcp://127.0.0.1:7419"},
        {"tcp://h", "tcp://h:7419"},
        {"tcp://h:1/", "tcp://h:1"},
        {"TCP://H:1", "tcp://h:1"},
        {"tcp://[::1]:7419", "tcp://[::1]:7419"},
        {"tcp://[0:0::1]", "tcp://[::1]:7419"},
        {"tcp+tls://h.example", "tcp+tls://h.example:7419"},
        {"localhost:7419", "tcp://localhost:7419"},
        {"[::1]:1", "tcp://[::1]:1"},
        {"unix:/" + std::string(106, 'x'), "unix:/" + std::string(106, 'x')},
    };
    for (const auto& [text, shown] : rows) {
        CAPTURE(text);
        auto endpoint = parse_endpoint(text);
        REQUIRE(endpoint);
        CHECK(endpoint->text() == shown);
        CHECK(parse_endpoint(shown)->text() == shown);
        auto address = cli::parse_address(text);  // jobq and jobqd runner read the same
        REQUIRE(address);
        CHECK(address->endpoint.text() == shown);
    }
}

TEST_CASE("endpoint: what can't be connected to is refused by jobq and the runner alike") {
    using namespace std::string_literals;
    for (const std::string& text : {""s,
                                    "unix:"s,
                                    "unix://"s,
                                    "unix://run/x"s,
                                    "unix:/a\0b"s,
                                    "7419"s,
                                    "host"s,
                                    "host:"s,
                                    "host:x"s,
                                    "host:65536"s,
                                    "host:0"s,
                                    "tcp://h:0"s,
                                    ":7419"s,
                                    "::1:7419"s,
                                    "[::1]7419"s,
                                    "[::1]"s,
                                    "run/x"s,
                                    "tcp://a/b:1"s,
                                    "tcp://h:1/x"s,
                                    "tcp://h:1?x"s,
                                    "tcp://h:1#x"s,
                                    "tcp://"s,
                                    "tcp://:1"s,
                                    "ftp://h:1"s,
                                    "http://h:1"s,
                                    "tls://h:1"s,
                                    "://h:1"s,
                                    "unix:/" + std::string(107, 'x')}) {
        CAPTURE(text);
        auto endpoint = parse_endpoint(text);
        REQUIRE_FALSE(endpoint);
        CHECK(endpoint.error().code == ErrorCode::invalid);
        auto address = cli::parse_address(text);
        REQUIRE_FALSE(address);
        CHECK(address.error().text == endpoint.error().text);
        CHECK(address.error().status == cli::kUsage);
    }
}

TEST_CASE("endpoint: a password is read where it may stand, and shown nowhere") {
    const std::pair<std::string, std::string> rows[] = {
        {"tcp://:s3cret@h:1", "s3cret"},
        {"tcp://ann:s3cret@h", "s3cret"},
        {"tcp+tls://:s%2F3%40%3f%23@h", "s/3@?#"},
        {"tcp://:s3@cret@h", "s3@cret"},
        {":s3cret@h:1", "s3cret"},
        {"tcp://ann@h", ""},
    };
    for (const auto& [text, password] : rows) {
        CAPTURE(text);
        auto address = cli::parse_address(text);
        REQUIRE(address);
        CHECK(address->password == password);
        CHECK_THAT(address->endpoint.text(), !Catch::Contains("s3"));
        auto endpoint = parse_endpoint(text);  // of a command line, which others can read
        REQUIRE_FALSE(endpoint);
        CHECK_THAT(endpoint.error().text,
                   Catch::Contains("JOBQ_PASSWORD") && !Catch::Contains("s3"));
    }
    for (const char* text : {"tcp://:s3/cret@h:1", "tcp://:s3?cret@h", "tcp://:s3#cret@h",
                             "tcp://:s3%cret@h", "tcp://:s3cret@h:99999", "unix://:s3cret@/run/x",
                             "tcp://u:7419/s3cret@h", "ftp://:s3cret@h", ":s3cret@h"}) {
        CAPTURE(text);
        auto address = cli::parse_address(text);
        REQUIRE_FALSE(address);
        CHECK_THAT(address.error().text, !Catch::Contains("s3") && !Catch::Contains("cret"));
    }
}

TEST_CASE("endpoint: what to listen on") {
    CHECK(parse_listen("127.0.0.1:0")->port == 0);
    CHECK(parse_listen("[::]:80")->text() == "tcp://[::]:80");
    CHECK(parse_listen("unix:/run/x")->unix_path == "/run/x");
    CHECK_FALSE(parse_listen("unix:run/x"));
    CHECK_FALSE(parse_tcp_listen("unix:/run/x"));
    for (const char* text : {"", "h", "7419", "tcp://h:1", "/run/x", "u:p@h:1", "*:1", ":1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_listen(text));
        CHECK_FALSE(parse_tcp_listen(text));
    }
}
