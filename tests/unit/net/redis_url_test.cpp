// Redis URLs: read strictly, and errors do not show the password.
#include "core/net/redis_url.h"

#include <catch2/catch.hpp>

using namespace jobq;

TEST_CASE("redis url: host, port, user, password and database") {
    auto full = parse_redis_url("redis://ann:p%40ss@db.example:6380/2");
    REQUIRE(full);
    CHECK(full->user == "ann");
    CHECK(full->password == "p@ss");
    CHECK(full->endpoint.host == "db.example");
    CHECK(full->endpoint.port == 6380);
    CHECK(full->database == 2);
    CHECK(full->text() == "redis://db.example:6380/2");
    CHECK(parse_redis_url("redis://localhost")->endpoint.port == 6379);
    CHECK(parse_redis_url("redis://localhost/")->database == 0);
    CHECK(parse_redis_url("redis://[::1]")->text() == "redis://[::1]:6379");
    CHECK(parse_redis_url("redis://:pw@h")->password == "pw");
    CHECK(parse_redis_url("redis://ann:@h")->password.empty());
    CHECK(parse_redis_url("redis://my_redis:1")->endpoint.host == "my_redis");
    CHECK(parse_redis_url("unix:/run/r.sock")->endpoint.unix_path == "/run/r.sock");
    CHECK(parse_redis_url("unix:r.sock?db=1")->endpoint.unix_path == "r.sock");
    CHECK(parse_redis_url("unix:///run/r.sock?db=5")->database == 5);
    auto socket = parse_redis_url("unix://ann:p%2Fw@/run/a@b.sock?db=3");
    REQUIRE(socket);
    CHECK(socket->user == "ann");
    CHECK(socket->password == "p/w");
    CHECK(socket->endpoint.unix_path == "/run/a@b.sock");
    CHECK(socket->text() == "unix:/run/a@b.sock");
}

TEST_CASE("redis url: passwords of every kind, encoded") {
    const std::pair<std::string, std::string> rows[] = {
        {"%2F", "/"}, {"%40", "@"}, {"%3F", "?"}, {"%23", "#"},           {"%25", "%"},
        {"%3A", ":"}, {"%5B", "["}, {"@", "@"},   {"a%00b", {"a\0b", 3}},
    };
    for (const auto& [written, meant] : rows)
        for (const std::string where : {"@h:1/2", "@/run/r?db=2"}) {
            const std::string url =
                (where[1] == '/' ? "unix://:s3" : "redis://:s3") + written + "cret" + where;
            CAPTURE(url);
            auto address = parse_redis_url(url);
            REQUIRE(address);
            CHECK(address->password == "s3" + meant + "cret");
            CHECK(address->database == 2);
            CHECK_THAT(address->text(), !Catch::Contains("cret"));
        }
}

TEST_CASE("redis url: what is refused, without a part of the password") {
    for (const char* url : {"",
                            "localhost",
                            "localhost:6379",
                            "redis://",
                            "redis:h",
                            "redis://ann@h",
                            "redis://@h",
                            "redis://a:s3cret@",
                            "redis://a:s3cret@:1",
                            "redis://a:s3cret@h:99999",
                            "redis://a:s3cret@h:0",
                            "redis://a:s3cret@h/x",
                            "redis://a:s3cret@h/-1",
                            "redis://a:s3cret@h/65536",
                            "redis://a:s3cret@h/1?x",
                            "redis://a:s3cret@h#x",
                            "redis://a:s3cret%zz@h",
                            "redis://a:s3%cret@h",
                            "redis://a:s3/cret@h",
                            "redis://a:s3?cret@h",
                            "redis://a:s3#cret@h",
                            "redis://a:6379/s3cret@h",
                            "redis://a:6379/s3cret",
                            "rediss://a:s3cret@h",
                            "redis+x://a:s3cret@h",
                            "unix:",
                            "unix://",
                            "unix:/x?user=s3cret",
                            "unix:/x?db=s3cret",
                            "unix://a:s3cret@run/x",
                            "unix://a:s3/cret@/run/x",
                            "unix://a:6379/s3cret@/run/x",
                            "unix:///run/x?db=1#x"}) {
        CAPTURE(url);
        auto parsed = parse_redis_url(url);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == ErrorCode::invalid);
        CHECK_THAT(parsed.error().text, !Catch::Contains("s3") && !Catch::Contains("cret"));
    }
}
