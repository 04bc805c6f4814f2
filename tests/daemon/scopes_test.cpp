// Scopes are enforced: a client without the scope of a verb or route is refused, by name, and
// nothing is done.
#include <catch2/catch.hpp>

#include "daemon/http/api.h"
#include "daemon/http/http_server.h"
#include "tests/daemon/session_rig.h"
#include "tests/support/http_client.h"

using namespace jobq;
using namespace jobq::test;

namespace {

const std::string kHello = "HELLO {\"v\":2,\"jobq\":1}";

// As a client would send it, with something in the place of each name.
std::string path_of(const Route& route) {
    std::string path(route.path);
    for (size_t at = 0; (at = path.find('{')) != path.npos;)
        path.replace(at, path.find('}') - at + 1, "some-name");
    return path;
}

}  // namespace

TEST_CASE("scopes: a set has what was put in, and none always") {
    for (Scope scope : kScopes) {
        CHECK(Scopes().has(scope));
        CHECK(Scopes{}.has(scope));
        CHECK(Scopes{Scope::read}.has(scope) == (scope == Scope::read || scope == Scope::none));
    }
    Caller caller{false, {Scope::enqueue, Scope::work}};
    CHECK_FALSE(caller.refusal(Scope::work, "FETCH"));
    auto refused = caller.refusal(Scope::admin, "FLUSH");
    REQUIRE(refused);
    CHECK(refused->code == ErrorCode::forbidden);
    CHECK_THAT(refused->text, Catch::StartsWith("FLUSH needs the scope admin"));
}

TEST_CASE("scopes: every verb is refused to a client without its scope") {
    SessionRig<MemoryStore> rig;
    rig.access.granted = {Scope::none};
    rig.with([](const std::string& path) {
        SessionClient client(path);
        CHECK(client.ask(kHello) == "+OK");
        int refused = 0;
        for (const auto& verb : kVerbs) {
            if (verb.scope == Scope::none) continue;
            const std::string word = (verb.jobq() ? "JOBQ " : "") + std::string(verb.name);
            INFO(word);
            CHECK(client.ask(word + " {}") == "-FORBIDDEN " + word + " needs the scope " +
                                                  std::string(name(verb.scope)) +
                                                  ", which this client does not have");
            ++refused;
        }
        CHECK(refused > 40);
        CHECK_THAT(client.body("JOBQ PING {}"), Catch::Contains("\"version\""));
    });
    auto stats = on_loop(rig.reactor, rig.store.stats());
    REQUIRE(stats);
    CHECK(*stats == StoreStats{});
}

TEST_CASE("scopes: what is granted is done") {
    SessionRig<MemoryStore> rig;
    rig.access.granted = {Scope::enqueue};
    rig.with([](const std::string& path) {
        SessionClient client(path);
        CHECK(client.ask(kHello) == "+OK");
        CHECK(client.ask("PUSH {\"jid\":\"abcdefgh\",\"jobtype\":\"t\",\"args\":[]}") == "+OK");
        CHECK_THAT(client.ask("JOBQ STATUS {\"jids\":[\"abcdefgh\"]}"),
                   Catch::StartsWith("-FORBIDDEN"));
        SessionClient plain(path);
        CHECK(plain.ask("HELLO {\"v\":2}") == "+OK");
        CHECK_THAT(plain.ask("FETCH default"),
                   Catch::StartsWith("-ERR FETCH needs the scope work"));
        // Those behind the first of a pipeline are no way around.
        plain.say("JOBQ RM {\"jids\":[\"abcdefgh\"]}\r\nJOBQ CLEAR {\"queue\":\"default\"}");
        CHECK_THAT(plain.line(), Catch::StartsWith("-ERR JOBQ RM needs"));
        CHECK_THAT(plain.line(), Catch::StartsWith("-ERR JOBQ CLEAR needs"));
    });
}

TEST_CASE("scopes: every route is refused to a client without its scope") {
    SessionRig<MemoryStore> rig;
    rig.access.granted = {Scope::none};
    Api api(rig.context);
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    auto server = HttpServer::listen(rig.reactor, endpoint, api, {}, {});
    REQUIRE(server);
    const int port = (*server)->endpoint().port;
    rig.with([port](const std::string&) {
        for (const auto& route : routes()) {
            INFO(route.method << " " << route.path);
            HttpClient client(port);
            const auto answer = client.ask(std::string(route.method), path_of(route));
            if (route.scope == Scope::none) {
                CHECK(answer.status != 403);
                continue;
            }
            CHECK(answer.status == 403);
            CHECK_THAT(answer.body,
                       Catch::Contains("needs the scope " + std::string(name(route.scope))));
        }
    });
    on_loop(rig.reactor, (*server)->stop());
}
