// Verbs that look and repair, against a scripted daemon: requests, paging, formats, asking first,
// and exit statuses of several ids.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/live/cli_kit.h"

namespace jobq::test {
namespace {

using nlohmann::json;

// 250 dead jobs in pages of 100, each JID unique.
bool pages(Peer& peer, const std::string& verb, const std::string& text) {
    if (verb != "LIST") return true;
    const auto request = json::parse(text);
    const int from = request.contains("cursor") ? std::stoi(std::string(request["cursor"])) : 0;
    std::string jobs;
    const int to = std::min(from + 100, 250);
    for (int i = from; i < to; ++i)
        jobs += (i == from ? "" : ",") +
                job_json("job-" + std::to_string(i), "dead",
                         R"({"errors":[{"attempt":1,"outcome":"failure","error_type":"Oops",)"
                         R"("message":"line\n\u001b[31mred"}]})");
    const std::string next = to == 250 ? "" : std::to_string(to);
    peer.bulk("{\"jobs\":[" + jobs + "],\"next\":\"" + next + "\"}");
    return true;
}

std::string acted(const std::string& text) {
    json jobs = json::array();
    const auto request = json::parse(text);
    for (const std::string jid : request["jids"]) {
        if (jid.starts_with("missing"))
            jobs.push_back({{"jid", jid},
                            {"ok", false},
                            {"error", "NOT_FOUND"},
                            {"text", "job " + jid + " does not exist"}});
        else if (jid.starts_with("running"))
            jobs.push_back(
                {{"jid", jid}, {"ok", false}, {"error", "CONFLICT"}, {"text", "it runs"}});
        else
            jobs.push_back({{"jid", jid}, {"ok", true}, {"was", "dead"}});
    }
    return json{{"jobs", jobs}}.dump();
}

bool act(Peer& peer, const std::string& verb, const std::string& text) {
    if (verb != "STATUS") {
        peer.bulk(acted(text));
        return true;
    }
    std::string jobs;
    const auto request = json::parse(text);
    for (const std::string jid : request["jids"])
        jobs += (jobs.empty() ? "" : ",") + (jid.starts_with("missing")
                                                 ? json{{"jid", jid}, {"error", "NOT_FOUND"}}.dump()
                                                 : job_json(jid, "dead"));
    peer.bulk("{\"jobs\":[" + jobs + "]}");
    return true;
}

int64_t lines_in(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("list goes through all pages, one job a line, without control characters") {
    FakeDaemon daemon(pages);
    const Ran ran =
        run_cli(daemon.call({"list", "--state", "dead", "--type", "email", "--queue", "default",
                             "--tag", "x", "--error", "Oops", "--since", "2026-11-22T00:00:00Z"}));
    CHECK(ran.status == 0);
    CHECK(lines_in(ran.out) == 250);
    CHECK_FALSE(contains(ran.out, "\x1b"));
    CHECK(ran.out.starts_with("job-0 "));
    const auto requests = daemon.sent("LIST");
    REQUIRE(requests.size() == 3);
    auto first = json::parse(requests[0]);
    first.erase("limit");
    CHECK(first == json::parse(R"({"state":"dead","type":"email","queue":"default","tag":"x",
                                   "error":"Oops","since":"2026-11-22T00:00:00Z"})"));
    CHECK(json::parse(requests[2])["cursor"] == "200");
}

TEST_CASE("list in its other formats: ids, one array, an object a line, a limit") {
    FakeDaemon daemon(pages);
    const Ran ids = run_cli(daemon.call({"list", "--state", "dead", "-q"}));
    CHECK(lines_in(ids.out) == 250);
    CHECK(ids.out.starts_with("job-0\njob-1\n"));
    const auto array = json::parse(run_cli(daemon.call({"list", "--state", "dead", "--json"})).out);
    CHECK(array.size() == 250);
    CHECK(array[249]["jid"] == "job-249");
    const Ran rows = run_cli(daemon.call({"list", "--state", "dead", "-o", "jsonl"}));
    CHECK(lines_in(rows.out) == 250);
    CHECK(json::parse(rows.out.substr(0, rows.out.find('\n')))["jid"] == "job-0");
    const Ran some = run_cli(daemon.call({"list", "--state", "dead", "-q", "--limit", "150"}));
    CHECK(lines_in(some.out) == 150);
}

TEST_CASE("status shows a block for a job, and 3 for one that is not known") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string&) {
        peer.bulk("{\"jobs\":[" +
                  job_json("waits-1", "ready",
                           R"({"note":"no worker takes type email yet","tags":["a","b"]})") +
                  "," +
                  job_json("died-2", "dead",
                           R"({"reason":"exhausted","max_attempts":3,"attempts":3,"exit_code":7,
                               "errors":[{"attempt":3,"outcome":"failure","error_type":"exit",
                               "message":"status 7","ended_at":"2026-11-22T10:00:01Z"}]})") +
                  R"(,{"jid":"none-3","error":"NOT_FOUND"}]})");
        return true;
    });
    const Ran ran = run_cli(daemon.call({"status", "waits-1", "died-2", "none-3"}));
    CHECK(ran.status == 3);
    CHECK(contains(ran.out, "waits-1  email  ready\n"));
    CHECK(contains(ran.out, "note      no worker takes type email yet\n"));
    CHECK(contains(ran.out, "tags      a, b\n"));
    CHECK(contains(ran.out, "died-2  email  dead (exhausted)\n"));
    CHECK(contains(ran.out, "attempts  3 of 3\n"));
    CHECK(contains(ran.out, "error     attempt 3 failure: exit: status 7, 2026-11-22T10:00:01Z"));
    CHECK(contains(ran.err, "job 'none-3' does not exist"));
    const auto objects = json::parse(run_cli(daemon.call({"status", "-o", "json", "waits-1"})).out);
    CHECK(objects.size() == 3);
    CHECK(objects[2]["error"] == "NOT_FOUND");
}

TEST_CASE("cancel, retry and rm take ids from arguments and stdin and keep each one's answer") {
    FakeDaemon daemon(act);
    const Ran good = run_cli(daemon.call({"cancel", "job-1", "job-2"}));
    CHECK(good.status == 0);
    CHECK(good.out == "job-1 cancelled (was dead)\njob-2 cancelled (was dead)\n");
    CHECK(run_cli(daemon.call({"cancel", "missing-1"})).status == 3);
    CHECK(run_cli(daemon.call({"rm", "--yes", "running-1"})).status == 4);
    const Ran mixed = run_cli(daemon.call({"retry", "job-1", "missing-1"}));
    CHECK(mixed.status == 1);
    CHECK(mixed.out == "job-1 is ready (was dead)\n");
    CHECK(mixed.err == "jobq: job missing-1 does not exist\n");

    auto piped = daemon.call({"retry", "-q", "-"});
    piped.no_input = false;
    for (int i = 0; i < 1200; ++i)
        piped.input += " job-" + std::to_string(i) + "\r\n\n";
    const size_t before = daemon.sent("RETRY").size();
    const Ran many = run_cli(piped);
    CHECK(many.status == 0);
    CHECK(lines_in(many.out) == 1200);
    CHECK(daemon.sent("RETRY").size() == before + 3);
    CHECK(json::parse(daemon.sent("RETRY").back())["jids"].size() == 200);
}

TEST_CASE("a --dry-run shows what would be done and does nothing") {
    FakeDaemon daemon(act);
    const Ran ran = run_cli(daemon.call({"rm", "--dry-run", "job-1", "missing-1"}));
    CHECK(ran.status == 1);
    CHECK(ran.out == "would remove job-1 (dead)\n");
    CHECK(run_cli(daemon.call({"cancel", "-n", "job-1"})).out == "would cancel job-1 (dead)\n");
    CHECK(daemon.sent("RM").empty());
    CHECK(daemon.sent("CANCEL").empty());
}

TEST_CASE("retry-dead sweeps page by page and asks before it takes all") {
    FakeDaemon daemon([](Peer& peer, const std::string&, const std::string& text) {
        const auto request = json::parse(text);
        const bool last = request.contains("cursor");
        json groups = json::array();
        if (request["dry_run"])
            groups.push_back({{"group", "0badc0ffee0badc0"},
                              {"type", "email"},
                              {"error_type", "Oops"},
                              {"message", "no"},
                              {"count", last ? 1 : 2}});
        const bool dry = request["dry_run"];
        peer.bulk(json{{"matched", last ? 1 : 2},
                       {"retried", dry    ? 0
                                   : last ? 1
                                          : 2},
                       {"groups", groups},
                       {"next", last ? "" : "more"}}
                      .dump());
        return true;
    });
    const Ran refused = run_cli(daemon.call({"retry-dead", "--all"}));
    CHECK(refused.status == 2);
    CHECK(contains(refused.err, "--yes is required to retry 3 dead jobs"));
    const Ran dry = run_cli(daemon.call({"retry-dead", "--all", "--dry-run"}));
    CHECK(dry.status == 0);
    CHECK(contains(dry.out, "3       0badc0ffee0badc0  email           Oops            no\n"));
    CHECK(contains(dry.out, "would retry 3 dead jobs\n"));
    for (const auto& request : daemon.sent("RETRY_DEAD"))
        CHECK(json::parse(request)["dry_run"] == true);
    const Ran done = run_cli(daemon.call({"retry-dead", "--type", "email", "--error", "Oops"}));
    CHECK(done.out == "3 dead jobs are ready again\n");
    const auto sent = json::parse(daemon.sent("RETRY_DEAD").back());
    CHECK(sent["type"] == "email");
    CHECK(sent["error"] == "Oops");
    CHECK(json::parse(run_cli(daemon.call({"retry-dead", "--all", "--yes", "--json"})).out) ==
          json::parse(R"({"matched":3,"retried":3})"));
}

TEST_CASE("queues are listed, paused, resumed and cleared") {
    FakeDaemon daemon([](Peer& peer, const std::string& verb, const std::string&) {
        if (verb == "QUEUES")
            peer.bulk(R"({"queues":[{"name":"a","size":3,"paused":true,"latency_ms":61000}]})");
        else
            peer.bulk(verb == "CLEAR" ? R"({"removed":3})" : R"({"ok":true})");
        return true;
    });
    const Ran listed = run_cli(daemon.call({"queue"}));
    CHECK(listed.status == 0);
    CHECK(contains(listed.out, "a "));
    CHECK(contains(listed.out, "1m"));
    CHECK(contains(listed.out, "paused"));
    CHECK(run_cli(daemon.call({"queue", "latency", "a"})).out == "a                       1m1s\n");
    CHECK(run_cli(daemon.call({"queue", "latency", "b"})).status == 3);
    CHECK(run_cli(daemon.call({"queue", "pause", "a", "b"})).status == 0);
    CHECK(json::parse(daemon.sent("PAUSE").at(0))["queues"] == json::parse(R"(["a","b"])"));
    CHECK(run_cli(daemon.call({"queue", "resume", "a"})).status == 0);
    CHECK(run_cli(daemon.call({"queue", "clear", "a"})).status == 2);
    CHECK(run_cli(daemon.call({"queue", "clear", "a", "-n"})).out ==
          "would remove 3 jobs of queue a\n");
    CHECK(daemon.sent("CLEAR").empty());
    CHECK(run_cli(daemon.call({"queue", "clear", "a", "--yes"})).out ==
          "removed 3 jobs of queue a\n");
}

TEST_CASE("stats, ping, workers and events show what the daemon says") {
    const std::string stats =
        R"({"now":"2026-11-22T10:00:00Z","version":"9.9","uptime_s":61,"connections":2,
            "jobs":{"ready":1,"running":2,"scheduled":3,"retrying":4,"dead":5,"succeeded":6,
            "cancelled":0,"expired":0,"dropped":0,"removed":7,"total":28},
            "rates":{"enqueued_per_s":1.5,"finished_per_s":0.5},
            "queues":[{"name":"default","size":1,"paused":false,"latency_ms":1500}],
            "pools":[{"name":"p","kind":"exec","slots":10,"busy":2,"queues":["default"]}],
            "redis":{"state":"ready","memory_bytes":2048000}})";
    FakeDaemon daemon([&stats](Peer& peer, const std::string& verb, const std::string&) {
        if (verb == "STATS") peer.bulk(stats);
        if (verb == "PING")
            peer.bulk(R"({"version":"9.9","pid":7,"uptime_s":61,"state":"starting","unix":"/s"})");
        if (verb == "WORKERS")
            peer.bulk(R"({"workers":[{"wid":"w-1","kind":"runner","hostname":"h","pid":7,
                "state":"running","labels":[],"connected_at":"2026-11-22T10:00:00Z",
                "beat_ago_ms":3,"slots":4,"jobs":[{"jid":"j","type":"email","queue":"q",
                "attempt":1,"started_at":"2026-11-22T10:00:00Z"}]}]})");
        if (verb == "SIGNAL") peer.bulk(R"({"ok":true})");
        if (verb == "EVENTS")
            for (int i = 0; i < 3; ++i)
                peer.bulk(R"({"event":"dead","jid":"j"})");
        return true;
    });
    const Ran shown = run_cli(daemon.call({"stats"}));
    CHECK(contains(shown.out, "1 ready, 2 running, 3 scheduled, 4 retrying, 5 dead\n"));
    CHECK(contains(shown.out, "6 succeeded, 7 removed, of 28 enqueued\n"));
    CHECK(contains(shown.out, "1.5/s in, 0.5/s out\n"));
    CHECK(contains(shown.out, "2 of 10 slots busy, queues default\n"));
    CHECK(json::parse(run_cli(daemon.call({"stats", "--json"})).out) == json::parse(stats));
    const Ran ping = run_cli(daemon.call({"ping"}));
    CHECK(ping.status == 75);
    CHECK(ping.out == "jobqd 9.9 is starting: pid 7, up 1m, unix /s\n");
    const Ran workers = run_cli(daemon.call({"workers"}));
    CHECK(contains(workers.out, "w-1 "));
    CHECK(contains(workers.out, "1 of 4 busy: email j\n"));
    CHECK(run_cli(daemon.call({"workers", "quiet", "w-1"})).status == 0);
    CHECK(run_cli(daemon.call({"workers", "stop", "--all"})).status == 0);
    CHECK(json::parse(daemon.sent("SIGNAL").at(0)) ==
          json::parse(R"({"wid":"w-1","signal":"quiet"})"));
    CHECK(json::parse(daemon.sent("SIGNAL").at(1)) ==
          json::parse(R"({"wid":"all","signal":"terminate"})"));
    const Ran events = run_cli(daemon.call({"events", "--event", "dead", "--count", "2"}));
    CHECK(events.status == 0);
    CHECK(lines_in(events.out) == 2);
    CHECK(json::parse(daemon.sent("EVENTS").at(0))["types"] == json::parse(R"(["dead"])"));
}

TEST_CASE("verbs that get no id on stdin say so and fail") {
    FakeDaemon daemon(act);
    for (const char* verb : {"wait", "cancel", "retry", "status", "why", "release"}) {
        auto piped = daemon.call({verb, "-"});
        piped.no_input = false;
        piped.input = " \n\n";
        const Ran ran = run_cli(piped);
        INFO(verb);
        CHECK(ran.status == 66);
        CHECK(contains(ran.err, "no ids on stdin"));
    }
}

}  // namespace jobq::test
