// Faktory Work Protocol 2, section 2 with a password: the greeting's challenge, what answers it,
// and who needs none.
#include "core/protocol/password.h"

#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "tests/support/live/faktory_kit.h"

namespace jobq::test {
namespace {

struct Challenge {
    std::string salt;
    int rounds = 0;
};

Challenge challenge_of(Wire& wire) {
    std::string hi = wire.reply();
    INFO(hi);
    std::smatch found;
    std::regex shape(R"x(\+HI \{"v":2,"i":(\d+),"s":"([0-9a-f]{1,16})"\})x");
    REQUIRE(std::regex_match(hi, found, shape));
    return {found[2], std::stoi(found[1])};
}

// The HELLO's answer to a client that knows this password, or thinks so.
std::string hello(Wire& wire, const std::string& password, const std::string& members = "\"v\":2",
                  int rounds = 0) {
    Challenge asked = challenge_of(wire);
    std::string hash = password_hash(password, asked.salt, rounds ? rounds : asked.rounds);
    return wire.ask("HELLO {" + members + R"(,"pwdhash":")" + hash + "\"}");
}

// FaktoryServer asks for its port over the Unix socket, where no password is needed.
struct Guarded {
    Guarded() : file(dir.write("secret", " foobar\n")) {
        server = std::make_unique<FaktoryServer>("[listen]\npassword_file = \"" + file + "\"\n");
    }

    TempDir dir;
    std::string file;
    std::unique_ptr<FaktoryServer> server;
};

}  // namespace

TEST_CASE("faktory 2 password: the vector of Faktory's own tests", "[faktory]") {
    CHECK(password_hash("foobar", "55104dc76695721d", 1545) ==
          "6d877f8e5544b1f2598768f817413ab8a357afffa924dedae99eb91472d4ec30");
}

TEST_CASE("faktory 2 password: who knows it is welcome, others are told and closed", "[faktory]") {
    Guarded guarded;
    FaktoryServer& server = *guarded.server;
    SECTION("faktory 2 password: right, and a worker") {
        Wire wire = server.connect(), worker = server.connect();
        CHECK(hello(wire, "foobar") == ok());
        CHECK(wire.ask("ACK {\"jid\":\"none\"}") == ok());
        CHECK(hello(worker, "foobar", R"("v":2,"wid":"w1","username":"u")") == ok());
        CHECK(worker.ask(R"(BEAT {"wid":"w1"})") == ok());
    }
    SECTION("faktory 2 password: a client of version 1, or of none, hashes once") {
        for (std::string members : {R"("v":1)", R"("v":0)", R"("hostname":"old")"}) {
            Wire once = server.connect(), all = server.connect();
            CHECK(hello(once, "foobar", members, 1) == ok());
            CHECK(hello(all, "foobar", members) == "-ERR Invalid password");
        }
    }
    SECTION("faktory 2 password: wrong, missing, empty, in capitals, of another salt") {
        Wire wrong = server.connect(), once = server.connect(), none = server.connect(),
             empty = server.connect(), capitals = server.connect(), null = server.connect();
        CHECK(hello(wrong, "foobaz") == "-ERR Invalid password");
        CHECK(hello(once, "foobar", "\"v\":2", 1) == "-ERR Invalid password");
        challenge_of(none);
        CHECK(none.ask(R"(HELLO {"v":2})") == "-ERR Invalid password");
        challenge_of(empty);
        CHECK(empty.ask(R"(HELLO {"v":2,"pwdhash":""})") == "-ERR Invalid password");
        challenge_of(null);
        CHECK(null.ask(R"(HELLO {"v":2,"pwdhash":null,"jobq":1})") == "-ERR Invalid password");
        Challenge asked = challenge_of(capitals);
        std::string hash = password_hash("foobar", asked.salt, asked.rounds);
        for (char& c : hash)
            c = char(std::toupper(c));
        CHECK(capitals.ask(R"(HELLO {"v":2,"pwdhash":")" + hash + "\"}") ==
              "-ERR Invalid password");
        for (Wire* wire : {&wrong, &once, &none, &empty, &capitals, &null})
            CHECK(wire->closes());
        CHECK(server.unix_client().ask_json("INFO").at("server").at("connections") == 1);
    }
    SECTION("faktory 2 password: salt and rounds are new for each connection") {
        std::set<std::string> salts;
        for (int i = 0; i < 20; ++i) {
            Wire wire = server.connect();
            salts.insert(challenge_of(wire).salt);
        }
        CHECK(salts.size() == 20);
    }
}

}  // namespace jobq::test
