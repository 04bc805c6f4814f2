// What TAKE gives the runner of jobqd, which may not know yet what a reload has changed.
#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/daemon/session_rig.h"

using namespace jobq;
using namespace jobq::test;
using nlohmann::json;

namespace {

constexpr auto kHello = "HELLO {\"v\":2,\"jobq\":1,\"wid\":\"runner-1\"}";

std::shared_ptr<const Config> running(const std::string& type) {
    auto config = std::make_shared<Config>();
    config->pools["main"].name = "main";
    config->types[type].run = {"/bin/true"};
    return config;
}

std::string version_of(SessionClient& runner) {
    return json::parse(runner.body("JOBQ POOLS {\"runner\":\"runner-1\"}")).at("version");
}

std::string take(const std::string& version, int wait_ms) {
    return "JOBQ TAKE {\"pool\":\"main\",\"queues\":[\"default\"],\"config\":\"" + version +
           "\",\"wait_ms\":" + std::to_string(wait_ms) + "}";
}

}  // namespace

TEST_CASE("a runner gets no job of a configuration that it does not know") {
    SessionRig<MemoryStore> rig;
    rig.views.runner = "runner-1";
    rig.config = running("first");
    rig.with([&](const std::string& path) {
        SessionClient client(path), runner(path), beats(path);
        CHECK(client.ask("HELLO {\"v\":2,\"jobq\":1}") == "+OK");
        CHECK(runner.ask(kHello) == "+OK");
        CHECK(beats.ask(kHello) == "+OK");
        const std::string old = version_of(runner);
        client.body("JOBQ ENQUEUE {\"type\":\"second\",\"jid\":\"job-0001\"}");
        runner.say(take(old, 15'000));
        std::atomic<bool> waits = false;
        while (!waits)
            rig.reactor.post_from_thread(
                [&] { waits = rig.broker.waiters().has_waited_since("default", "", INT64_MAX); });
        rig.reactor.post_from_thread([&] {  // a reload
            rig.config = running("second");
            rig.status.config_changed();
            rig.broker.waiters().notify_all();
        });
        runner.line();
        CHECK(runner.line() == "{\"jobs\":[]}");
        CHECK(runner.ask(take(old, 15'000)).starts_with("-BUSY "));
        CHECK(json::parse(client.body("JOBQ STATUS {\"jids\":[\"job-0001\"]}"))
                  .at("jobs")[0]
                  .at("state") == "ready");

        const std::string fresh = version_of(runner);
        CHECK(fresh != old);
        const json taken = json::parse(runner.body(take(fresh, 0)));
        REQUIRE(taken.at("jobs").size() == 1);
        CHECK(taken.at("jobs")[0].at("jid") == "job-0001");
    });
}

TEST_CASE("two lives of jobqd have no version of the configuration in common") {
    NoViews views;
    DaemonStatus one(views, ""), other(views, "");
    CHECK(one.config_version() != other.config_version());
    const std::string before = one.config_version();
    one.config_changed();
    CHECK(one.config_version() != before);
}
