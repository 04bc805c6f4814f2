// What a worker is told in the answers to its heartbeats comes from what is so now: an answer that
// was lost, or came too early, loses nothing.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/daemon/session_rig.h"

using namespace jobq;
using namespace jobq::test;
using nlohmann::json;

namespace {

const std::string kHello = "HELLO {\"v\":2,\"jobq\":1,\"wid\":\"w-1\",\"slots\":2}";

json cancels(SessionClient& worker, const std::string& running, int wait_ms) {
    const std::string answer = worker.body("JOBQ HEARTBEAT {\"running\":[" + running +
                                           "],\"wait_ms\":" + std::to_string(wait_ms) + "}");
    return json::parse(answer).at("cancel");
}

}  // namespace

TEST_CASE("a cancel stands in each answer to a heartbeat until its job is over") {
    SessionRig<MemoryStore> rig;
    rig.with([](const std::string& path) {
        SessionClient other(path), worker(path), beats(path);
        CHECK(other.ask("HELLO {\"v\":2,\"jobq\":1}") == "+OK");
        CHECK(worker.ask(kHello) == "+OK");
        CHECK(beats.ask(kHello) == "+OK");
        other.body("JOBQ ENQUEUE {\"type\":\"mail\",\"jid\":\"job-0001\"}");
        const json taken =
            json::parse(worker.body("JOBQ TAKE {\"queues\":[\"default\"],\"count\":1}"));
        REQUIRE(taken.at("jobs").size() == 1);
        const std::string token = taken.at("jobs")[0].at("token");
        const std::string held = "{\"jid\":\"job-0001\",\"token\":\"" + token + "\"}";
        CHECK(cancels(beats, held, 0) == json::array());

        other.body("JOBQ CANCEL {\"jids\":[\"job-0001\"]}");
        const json asked = json::array({"job-0001"});
        CHECK(cancels(beats, held, 5'000) == asked);  // at once: it is news
        {
            // Its answer is never read: the connection goes before.
            SessionClient lost(path);
            CHECK(lost.ask(kHello) == "+OK");
            lost.say("JOBQ HEARTBEAT {\"running\":[" + held + "],\"wait_ms\":0}");
        }
        SessionClient again(path);
        CHECK(again.ask(kHello) == "+OK");
        CHECK(cancels(again, held, 0) == asked);
        CHECK(cancels(again, held, 0) == asked);

        worker.body("JOBQ DONE {\"jobs\":[{\"jid\":\"job-0001\",\"token\":\"" + token +
                    "\",\"outcome\":\"cancelled\"}]}");
        CHECK(cancels(again, "", 0) == json::array());
    });
}

TEST_CASE("a cancel that comes before its worker heard of the job is told again once it did") {
    SessionRig<MemoryStore> rig;
    rig.with([](const std::string& path) {
        SessionClient other(path), worker(path), beats(path);
        CHECK(other.ask("HELLO {\"v\":2,\"jobq\":1}") == "+OK");
        CHECK(worker.ask(kHello) == "+OK");
        CHECK(beats.ask(kHello) == "+OK");
        CHECK(cancels(beats, "", 0) == json::array());
        other.body("JOBQ ENQUEUE {\"type\":\"mail\",\"jid\":\"job-0001\"}");
        // The answer of TAKE is on its way, and the heartbeat's overtakes it.
        const json taken =
            json::parse(worker.body("JOBQ TAKE {\"queues\":[\"default\"],\"count\":1}"));
        REQUIRE(taken.at("jobs").size() == 1);
        beats.say("JOBQ HEARTBEAT {\"running\":[],\"wait_ms\":5000}");
        other.body("JOBQ CANCEL {\"jids\":[\"job-0001\"]}");
        beats.line();
        const json early = json::parse(beats.line());
        const std::string token = taken.at("jobs")[0].at("token");
        const std::string held = "{\"jid\":\"job-0001\",\"token\":\"" + token + "\"}";
        // It did not know the job then, so that it is news again.
        CHECK(cancels(beats, held, 60'000) == json::array({"job-0001"}));
        CHECK(early.at("state") == "running");
    });
}
