// The border of a connection: what escapes a verb is answered, told and ends that connection alone.
#include "core/async/contain.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <stdexcept>

#include "tests/daemon/session_rig.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// Fails as no store should: throws.
class ThrowingStore final : public MemoryStore {
  public:
    using MemoryStore::MemoryStore;

    task<Result<StoreStats>> stats() override {
        throw std::out_of_range("no such counter");
        co_return StoreStats{};
    }

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job>) override {
        throw std::bad_alloc();
        co_return std::vector<Result<Enqueued>>{};
    }
};

}  // namespace

TEST_CASE("what escapes a verb is answered and ends that connection alone") {
    std::vector<std::string> told;
    on_escape([&](const Escape& escape) {
        told.push_back(std::string(escape.part) + ", " + escape.context + ": " + escape.what);
    });
    {
        SessionRig<ThrowingStore> rig;
        rig.with([](const std::string& path) {
            SessionClient other(path);
            CHECK(other.ask("HELLO {\"v\":2,\"jobq\":1}") == "+OK");
            SessionClient thrown(path);
            CHECK(thrown.ask("HELLO {\"v\":2,\"jobq\":1,\"wid\":\"w-1\"}") == "+OK");
            CHECK_THAT(thrown.ask("JOBQ STATS {}"),
                       Catch::StartsWith("-INTERNAL the command failed"));
            CHECK(thrown.line().empty());
            // It said that nothing was stored, if it said anything.
            SessionClient plain(path);
            CHECK(plain.ask("HELLO {\"v\":2}") == "+OK");
            CHECK(plain.ask("PUSH {\"jid\":\"abcdefgh\",\"jobtype\":\"t\",\"args\":[]}").empty());
            CHECK_THAT(other.ask("JOBQ PING {}"), !Catch::StartsWith("-INTERNAL"));
            CHECK_FALSE(other.line().empty());
        });
        CHECK(rig.all_left);
    }
    on_escape({});
    const std::string who = " from pid " + std::to_string(getpid()) + ": ";
    REQUIRE(told.size() == 2);
    CHECK(told[0] == "session, JOBQ STATS" + who + "no such counter");
    CHECK(told[1] == "session, PUSH" + who + "std::bad_alloc");
}
