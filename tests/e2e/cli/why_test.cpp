// `jobq why` and `jobq history` against a real jobqd: the reason is the reason.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/base/time.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;

std::string why(const LiveDaemon& daemon, const std::string& jid) {
    return json::parse(daemon.must({"why", jid, "--json"})).at(0).at("why");
}

constexpr auto kConfig = R"(
[pool.default]
slots = 1
queues = ["default", "thin"]
[queue.thin]
concurrency = 1
[type.wait]
run = ["/bin/sh", "-c", "while [ ! -e {dir}/go ]; do sleep 0.02; done"]
[type.bad]
run = ["/bin/sh", "-c", "echo broken >&2; exit 3"]
max_attempts = 2
)";

}  // namespace

TEST_CASE("why: a waiting job names the one thing it waits for") {
    LiveDaemon daemon(kConfig);
    daemon.must({"enqueue", "wait", "--id", "job-busy", "--queue", "thin"});
    REQUIRE(eventually([&] { return why(daemon, "job-busy") == "running"; }));
    daemon.must({"enqueue", "wait", "--id", "job-thin", "--queue", "thin"});
    daemon.must({"enqueue", "wait", "--id", "job-first"});
    daemon.must({"enqueue", "wait", "--id", "job-third"});
    daemon.must({"enqueue", "wait", "--id", "job-late", "--in", "1h"});
    daemon.must({"enqueue", "mail", "--id", "job-mail"});
    daemon.must({"enqueue", "wait", "--id", "job-held", "--queue", "other"});
    daemon.must({"queue", "pause", "other"});
    CHECK(why(daemon, "job-thin") == "queue_limit");
    CHECK(why(daemon, "job-first") == "no_slot");
    CHECK(why(daemon, "job-third") == "behind");
    CHECK(why(daemon, "job-late") == "delayed");
    CHECK(why(daemon, "job-mail") == "no_worker");
    CHECK(why(daemon, "job-held") == "queue_paused");
    const json thin = json::parse(daemon.must({"why", "job-thin", "--json"})).at(0);
    CHECK(thin.at("held_by").at(0).at("jid") == "job-busy");
    CHECK(
        contains(daemon.must({"why", "job-third"}), "behind: 1 job of queue default comes first"));
    CHECK(contains(daemon.must({"status", "job-third"}), "1 job of queue default comes first"));
    const Ran none = daemon.jobq({"why", "job-none"});
    CHECK(none.status == 3);
    CHECK(contains(none.err, "does not exist"));
    daemon.dir().write("go", "");
    daemon.must({"wait", "job-busy", "job-third"});
    CHECK(why(daemon, "job-third") == "finished");
}

TEST_CASE("history: each attempt with its beginning and its end, in their order") {
    LiveDaemon daemon(kConfig);
    daemon.jobq({"enqueue", "bad", "--id", "job-wrong", "--max-attempts", "1", "--wait"});
    const json events = json::parse(daemon.must({"history", "job-wrong", "--json"}));
    std::vector<std::string> names;
    int64_t last = 0;
    for (const json& event : events) {
        names.push_back(event.at("event"));
        const auto at = parse_rfc3339_ms(event.at("at").get<std::string>());
        REQUIRE(at);
        CHECK(*at >= last);
        last = *at;
    }
    CHECK(names == std::vector<std::string>{"enqueued", "started", "failure", "dead"});
    CHECK(contains(daemon.must({"history", "job-wrong"}), "attempt 1 failure: exit 3"));
}

}  // namespace jobq::test
