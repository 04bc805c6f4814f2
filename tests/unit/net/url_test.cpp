// URLs: split in one way, user and password decoded, and no error that shows them.
#include "core/net/url.h"

#include <catch2/catch.hpp>

using namespace jobq;

namespace {

// scheme|user|password|host|port|path|query
std::string parts_of(const std::string& text, AtSign at_sign) {
    auto url = parse_url(text, at_sign);
    if (!url) return "refused";
    std::string out = url->scheme;
    out += "|" + (url->login ? url->login->user : "-");
    out += "|" + (url->login ? url->login->password.value_or("-") : "-");
    out += "|" + url->at.host;
    out += "|" + (url->at.port ? std::to_string(*url->at.port) : "-");
    out += "|" + std::string(url->path) + "|" + std::string(url->query.value_or("-"));
    return out + (url->has_fragment ? "|#" : "");
}

}  // namespace

TEST_CASE("url: its parts") {
    const std::pair<std::string, std::string> rows[] = {
        {"redis://h", "redis|-|-|h|-||-"},
        {"REDIS://ann:p%40ss@db.example:6380/2", "redis|ann|p@ss|db.example|6380|/2|-"},
        {"redis://:p%2F%23%3f%25w@h/0", "redis||p/#?%w|h|-|/0|-"},
        {"redis://:p@w@h", "redis||p@w|h|-||-"},
        {"redis://:p:w@h", "redis||p:w|h|-||-"},
        {"redis://ann@h", "redis|ann|-|h|-||-"},
        {"redis://ann:@h", "redis|ann||h|-||-"},
        {"redis://:p w\xC3\xA9@h", "redis||p w\xC3\xA9|h|-||-"},
        {"tcp+tls://[::1]:7419/", "tcp+tls|-|-|::1|7419|/|-"},
        {"unix:///run/x?db=5", "unix|-|-||-|/run/x|db=5"},
        {"unix://u:p@/run/x", "unix|u|p||-|/run/x|-"},
        {"http://h/a?b#c?d", "http|-|-|h|-|/a|b|#"},
        {"http://h?", "http|-|-|h|-||"},
        {"http://h#", "http|-|-|h|-||-|#"},
    };
    for (const auto& [text, parts] : rows) {
        CAPTURE(text);
        CHECK(parts_of(text, AtSign::ends_login) == parts);
        CHECK(parts_of(text, AtSign::may_be_in_path) == parts);
    }
    CHECK(parts_of("http://h/@x:1/", AtSign::may_be_in_path) == "http|-|-|h|-|/@x:1/|-");
}

TEST_CASE("url: no error shows a password, raw or encoded, whole or in part") {
    using namespace std::string_literals;
    for (const std::string& text :
         {"redis://:s3c/r3t@h"s, "redis://:s3c?r3t@h"s, "redis://:s3c#r3t@h"s,
          "redis://u:1/s3cr3t@h"s, "redis://:s3c%r3t@h"s, "redis://:s3cr3t%@h"s,
          "redis://:s3cr3t%4@h"s, "redis://s3cr3t%zz@h"s, "redis://:s3cr3t@h:x"s,
          "redis://:s3cr3t@h h"s, "redis://:s3cr3t@[::1"s, "redis://:s3cr3t\n@h"s,
          "redis://:s3cr3t@h\0"s, "s3cr3t@h"s, ":s3cr3t@h:1"s, "://:s3cr3t@h"s,
          "re dis://:s3cr3t@h"s, "redis://:s3cr3t"s}) {
        CAPTURE(text);
        auto url = parse_url(text, AtSign::ends_login);
        REQUIRE_FALSE(url);
        CHECK(url.error().code == ErrorCode::invalid);
        CHECK_THAT(url.error().text, !Catch::Contains("s3c") && !Catch::Contains("r3t"));
    }
}

TEST_CASE("url: the password is hidden wherever it may stand") {
    CHECK(without_password("redis://ann:s3cret@h/1") == "redis://ann:***@h/1");
    CHECK(without_password("redis://:s3/c@r?e#t@h") == "redis://:***@h");
    CHECK(without_password("redis://h/1") == "redis://h/1");
    CHECK(without_password("redis://ann@h") == "redis://ann@h");
    CHECK(without_password("a@b://c") == "a@b://c");
    CHECK(without_password("unix://u:p@/run/x") == "unix://u:***@/run/x");
    const std::string text = "x=redis://ann:s3@cret@h";
    const auto [from, to] = login_span(text);
    CHECK(text.substr(from, to - from) == "ann:s3@cret");
    CHECK(login_span("ann@h") == std::pair<size_t, size_t>());
}
