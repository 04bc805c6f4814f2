// The password of the handshake, both sides.
#include "core/protocol/password.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

using namespace jobq;
using test::TempDir;

namespace {

PasswordCheck check(const std::string& password, bool old_hash = true) {
    return {std::make_shared<const std::string>(password), old_hash};
}

// The JSON of a greeting.
std::string json_of(const PasswordCheck& check) {
    std::string line = check.greeting();
    return line.substr(4, line.size() - 6);
}

std::string salt_of(const PasswordCheck& check) {
    std::string line = check.greeting();
    size_t at = line.find("\"s\":\"") + 5;
    return line.substr(at, line.find('"', at) - at);
}

}  // namespace

TEST_CASE("password: Faktory's own vector", "[password]") {
    CHECK(password_hash("foobar", "55104dc76695721d", 1545) ==
          "6d877f8e5544b1f2598768f817413ab8a357afffa924dedae99eb91472d4ec30");
}

TEST_CASE("password: the greeting has Faktory's keys in its order, and a salt of its own",
          "[password]") {
    CHECK(PasswordCheck().greeting() == "+HI {\"v\":2}\r\n");
    PasswordCheck one = check("foobar"), other = check("foobar");
    CHECK(one.greeting().starts_with("+HI {\"v\":2,\"i\":256,\"s\":\""));
    CHECK(one.greeting().ends_with("\"}\r\n"));
    CHECK(salt_of(one).size() == 16);
    CHECK(salt_of(one) != salt_of(other));
}

TEST_CASE("password: who knows it comes in, nobody else", "[password]") {
    PasswordCheck door = check("foobar");
    const std::string right = *password_answer(json_of(door), "foobar");
    CHECK(door.accepts(2, right));
    CHECK(door.accepts(255, right));
    CHECK_FALSE(door.accepts(2, *password_answer(json_of(door), "foobaz")));
    CHECK_FALSE(door.accepts(2, ""));
    CHECK_FALSE(door.accepts(2, right.substr(1)));
    CHECK_FALSE(door.accepts(2, right + "0"));
    CHECK_FALSE(check("foobar").accepts(2, right));  // of another salt
    CHECK(PasswordCheck().accepts(2, right));
    CHECK(PasswordCheck().accepts(0, ""));
}

TEST_CASE("password: versions 0 and 1 hash once, unless that is switched off", "[password]") {
    PasswordCheck door = check("foobar");
    const std::string once = password_hash("foobar", salt_of(door), 1);
    CHECK(door.accepts(0, once));
    CHECK(door.accepts(1, once));
    CHECK_FALSE(door.accepts(2, once));
    CHECK_FALSE(door.accepts(0, *password_answer(json_of(door), "foobar")));
    PasswordCheck strict = check("foobar", false);
    CHECK_FALSE(strict.accepts(0, password_hash("foobar", salt_of(strict), 1)));
    CHECK(strict.accepts(2, *password_answer(json_of(strict), "foobar")));
}

TEST_CASE("password: what a greeting may ask of a client", "[password]") {
    CHECK(password_answer("{\"v\":2}", "x") == "");
    CHECK(password_answer("{\"v\":2,\"s\":\"aa\"}", "x") == password_hash("x", "aa", 1));
    CHECK(password_answer("{\"v\":2,\"i\":5,\"s\":\"aa\"}", "").error().code ==
          ErrorCode::unauthorized);
    for (const char* odd : {"{\"i\":0,\"s\":\"a\"}", "{\"i\":2000000,\"s\":\"a\"}",
                            "{\"i\":\"5\",\"s\":\"a\"}", "{\"i\":5,\"s\":7}", "{", "5"}) {
        INFO(odd);
        CHECK(password_answer(odd, "x").error().code == ErrorCode::unavailable);
    }
}

TEST_CASE("password: a file is trimmed, and must hold one password", "[password]") {
    TempDir dir;
    const std::string path = dir.write("pw", " foobar \n");
    CHECK(::chmod(path.c_str(), 0600) == 0);
    CHECK(read_password_file(path)->password == "foobar");
    CHECK_FALSE(read_password_file(path)->world_readable);
    CHECK(::chmod(path.c_str(), 0644) == 0);
    CHECK(read_password_file(path)->world_readable);
    CHECK(password_from_variable(path) == "foobar");
    CHECK(password_from_variable("foobar/x") == "foobar/x");
    CHECK(read_password_file(dir / "none").error().text.find("No such file") != std::string::npos);
    for (const char* bad : {"", "\n", "s3cret\ns3cret\n"}) {
        const auto read = read_password_file(dir.write("bad", bad));
        REQUIRE_FALSE(read);
        CHECK(read.error().text.find("s3cret") == std::string::npos);
    }
    CHECK(read_password_file(dir.write("large", std::string(5'000, 'x'))).error().code ==
          ErrorCode::too_large);
    CHECK_FALSE(read_password_file(dir.path()));
}
