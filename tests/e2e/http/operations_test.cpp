// Lists as bounded scans, the groups of the dead, and operations on all jobs that match.
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

const std::string kJobs = "/api/v1/jobs";
const std::string kOperations = "/api/v1/operations";
const std::vector<std::string> kLines{"Content-Type: application/jsonl"};

// `count` jobs that wait for an hour.
void enqueue_later(const HttpDaemon& daemon, int count, const std::string& members,
                   const std::string& prefix) {
    std::string lines;
    for (int i = 0; i < count; ++i)
        lines += R"({"type":"later","delay_ms":3600000,"jid":")" + prefix + std::to_string(i) +
                 "\"," + members + "}\n";
    REQUIRE(daemon.ask("POST", kJobs + ":bulk", lines, kLines).status == 200);
}

// Counts what fails from now on: nothing else may be failing meanwhile.
void enqueue_dead(const HttpDaemon& daemon, int count) {
    const int before = daemon.json("GET", "/api/v1/stats").at("failed");
    for (int i = 0; i < count; ++i)
        daemon.enqueue(R"({"type":"fail","max_attempts":1})");
    REQUIRE(eventually(
        [&] { return daemon.json("GET", "/api/v1/stats").at("failed") == before + count; }));
}

Json start(const HttpDaemon& daemon, const std::string& body) {
    return daemon.json("POST", kOperations, body, 202);
}

Json ended(const HttpDaemon& daemon, const Json& operation) {
    const std::string target = kOperations + "/" + operation.at("id").get<std::string>();
    Json last;
    CHECK(eventually([&] {
        last = daemon.json("GET", target);
        return last.at("state") != "running";
    }));
    return last;
}

}  // namespace

TEST_CASE("http: a row of a list has the beginning of a payload, a job has it whole") {
    HttpDaemon daemon;
    const std::string big(100'000, 'x'), some(10'000, 'y');
    daemon.enqueue(R"({"type":"later","delay_ms":900000,"jid":"big-00001","payload":")" + big +
                   "\"}");
    daemon.enqueue(R"({"type":"later","delay_ms":900000,"jid":"some-0001","payload":")" + some +
                   "\"}");
    daemon.enqueue(R"({"type":"later","delay_ms":900000,"jid":"utf8-0001","payload":"a)" + [] {
        std::string text;
        for (int i = 0; i < 200; ++i)
            text += "\u00e4";
        return text;
    }() + "\"}");
    const auto page = daemon.ask("GET", kJobs + "?state=scheduled");
    CHECK(page.body.size() < 3'000);
    const Json rows = Json::parse(page.body).at("jobs");  // it is UTF-8, then
    REQUIRE(rows.size() == 3);
    for (const auto& row : rows) {
        const std::string preview = row.at("args_preview");
        CHECK(preview.size() <= 200);
        CHECK(preview.size() >= 199);
        CHECK(row.at("args_cut") == true);
        CHECK(!row.contains("args"));
    }
    const Json whole = daemon.json("GET", kJobs + "/some-0001");
    CHECK(whole.at("args") == Json::array({some}));
    CHECK(whole.at("args_bytes") == some.size() + 4);
    const Json cut = daemon.json("GET", kJobs + "/big-00001");
    CHECK(!cut.contains("args"));
    CHECK(cut.at("args_cut") == true);
    CHECK(cut.at("args_preview").get<std::string>().size() == 64 << 10);
    CHECK(daemon.json("GET", kJobs + "/big-00001/payload") == Json::array({big}));
    CHECK(daemon.ask("GET", kJobs + "/nobody-01/payload").status == 404);
    daemon.json("DELETE", kJobs + "/big-00001");
    CHECK(daemon.ask("GET", kJobs + "/big-00001/payload").status == 409);
}

TEST_CASE("http: a filter that matches nothing stops after so many jobs, with a way to go on") {
    HttpDaemon daemon;
    enqueue_later(daemon, 30'000, R"("payload":"hay")", "hay-0000");
    enqueue_later(daemon, 3, R"("payload":"a needle in it","tags":["sharp"])", "needle00");
    for (const char* filter : {"type=other", "text=needle", "tag=sharp", "error=none"}) {
        INFO(filter);
        int64_t looked = 0;
        int pages = 0;
        std::set<std::string> found;
        std::string next;
        do {
            const Json page = daemon.json("GET", kJobs + "?state=scheduled&" + filter +
                                                     (next.empty() ? "" : "&cursor=" + next));
            next = page.at("next");
            CHECK(page.at("looked_at") <= 20'500);
            looked += page.at("looked_at").get<int64_t>();
            for (const auto& job : page.at("jobs"))
                found.insert(job.at("jid").get<std::string>());
            ++pages;
        } while (!next.empty() && pages < 1'000);
        CHECK(pages > 1);
        CHECK(looked == 30'003);
        CHECK(found.size() == (filter[1] == 'e' || filter[1] == 'a' ? 3 : 0));
    }
    CHECK(daemon.ask("GET", kJobs + "?text=" + std::string(201, 'x')).status == 400);
}

TEST_CASE("http: a page has no more jobs than asked for, and none is missed or met twice") {
    HttpDaemon daemon;
    for (const char* queue : {"q0", "q1", "q2"})
        daemon.json("POST", std::string("/api/v1/queues/") + queue + "/pause");
    for (int i = 0; i < 40; ++i) {
        const std::string n = std::to_string(10 + i), queue = "q" + std::to_string(i % 3);
        for (const char* type : {"echo", "idle"})
            daemon.enqueue(R"({"type":")" + std::string(type) + R"(","queue":")" + queue +
                           R"(","jid":")" + type + "-0000" + n + R"(","tags":["t)" +
                           std::to_string(i % 2) + "\"]" +
                           (type[0] == 'i' ? "}" : R"(,"payload":1})"));
    }
    const std::string state = "ready";
    for (const std::string filter : {"", "&tag=t1", "&queue=q1", "&newest=true"}) {
        INFO(filter);
        std::vector<std::string> all;
        std::string next;
        do {
            const Json page = daemon.json("GET", kJobs + "?limit=7&state=" + state + filter +
                                                     (next.empty() ? "" : "&cursor=" + next));
            next = page.at("next");
            CHECK(page.at("jobs").size() <= 7);
            for (const auto& job : page.at("jobs"))
                all.push_back(job.at("jid"));
        } while (!next.empty());
        CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
        CHECK(all.size() >= (filter == "&tag=t1" ? 20 : filter == "&queue=q1" ? 13 : 40));
    }
}

TEST_CASE("http: the dead are grouped by what killed them, and a group's filter finds it") {
    HttpDaemon daemon;
    enqueue_dead(daemon, 5);
    const Json answer = daemon.json("GET", "/api/v1/dead/groups");
    CHECK(answer.at("looked_at") == 5);
    CHECK(answer.at("partial") == false);
    REQUIRE(answer.at("groups").size() == 1);
    const Json group = answer.at("groups")[0];
    CHECK(group.at("count") == 5);
    CHECK(group.at("type") == "fail");
    const std::string example = group.at("example");
    CHECK(daemon.json("GET", "/api/v1/jobs/" + example).at("state") == "dead");
    CHECK(daemon.json("GET", "/api/v1/dead?group=" + group.at("group").get<std::string>())
              .at("jobs")
              .size() == 5);
    for (int i = 0; i < 3; ++i)
        CHECK(daemon.json("GET", "/api/v1/dead/groups") == answer);
    const Json order{{"action", "remove"}, {"filter", group.at("filter")}};
    CHECK(ended(daemon, start(daemon, order.dump())).at("done") == 5);
    CHECK(daemon.json("GET", "/api/v1/dead/groups").at("groups").empty());
}

TEST_CASE("http: an operation on a group takes it alone, however alike another one is") {
    HttpDaemon daemon;
    enqueue_dead(daemon, 3);
    for (int i = 0; i < 12; ++i)
        daemon.enqueue(R"({"type":"sleep","max_attempts":1,"payload":)" +
                       std::string(i < 5 ? "{}" : R"("x")") + "}");
    REQUIRE(eventually(
        [&] { return daemon.json("GET", "/api/v1/stats").at("jobs").at("dead") == 15; }));
    const Json groups = daemon.json("GET", "/api/v1/dead/groups?type=sleep").at("groups");
    REQUIRE(groups.size() == 2);
    CHECK(groups[0].at("count") == 7);
    CHECK(groups[1].at("count") == 5);
    const Json order{{"action", "remove"}, {"filter", groups[1].at("filter")}};
    CHECK(ended(daemon, start(daemon, order.dump())).at("done") == 5);
    const Json left = daemon.json("GET", "/api/v1/dead/groups");
    REQUIRE(left.at("groups").size() == 2);
    CHECK(left.at("groups")[0] == groups[0]);
    CHECK(left.at("total") == 10);
}

TEST_CASE("http: dead jobs that die again are retried by pages of a cursor, each once") {
    HttpDaemon daemon;
    enqueue_dead(daemon, 20);
    Json order{{"all", true}, {"limit", 6}};
    int retried = 0;
    for (int page = 0; page < 100; ++page) {
        const Json answer = daemon.json("POST", "/api/v1/dead/retry", order.dump());
        retried += answer.at("retried").get<int>();
        CHECK(eventually([&] { return daemon.json("GET", "/api/v1/stats").at("failed") == 20; }));
        if (answer.at("next") == "") break;
        order["cursor"] = answer.at("next");
    }
    CHECK(retried == 20);
    CHECK(daemon.json("GET", "/api/v1/stats").at("jobs").at("failed_attempts") == 40);
}

TEST_CASE("http: queues come page by page, by name") {
    HttpDaemon daemon;
    for (int i = 0; i < 25; ++i)
        daemon.json("POST", "/api/v1/queues/page" + std::to_string(10 + i) + "/pause");
    std::vector<std::string> met;
    std::string next;
    do {
        const Json page = daemon.json(
            "GET", "/api/v1/queues?limit=10" + (next.empty() ? next : "&cursor=" + next));
        CHECK(page.at("total") >= 25);
        CHECK(page.at("queues").size() <= 10);
        for (const auto& queue : page.at("queues"))
            met.push_back(queue.at("name"));
        next = page.at("next");
    } while (!next.empty());
    CHECK(std::is_sorted(met.begin(), met.end()));
    std::erase_if(met, [](const std::string& name) { return name.rfind("page", 0) != 0; });
    CHECK(met.size() == 25);
    CHECK(daemon.ask("GET", "/api/v1/queues?cursor=AAAA").status == 400);
}

TEST_CASE("http: an operation retries all dead jobs that match, each once though they fail again") {
    HttpDaemon daemon;
    enqueue_dead(daemon, 12);
    const auto answer = daemon.ask("POST", kOperations,
                                   R"({"action":"retry","filter":{"state":"dead","type":"fail"}})");
    CHECK(answer.status == 202);
    const Json operation = Json::parse(answer.body);
    CHECK(answer.headers.at("location") ==
          kOperations + "/" + operation.at("id").get<std::string>());
    const Json last = ended(daemon, operation);
    CHECK(last.at("state") == "finished");
    CHECK(last.at("total") == 12);
    CHECK(last.at("matched") == 12);
    CHECK(last.at("done") == 12);
    CHECK(last.at("failed") == 0);
    CHECK(eventually([&] {
        return daemon.json("GET", "/api/v1/stats").at("jobs").at("failed_attempts") == 24;
    }));
    CHECK(daemon.json("GET", kOperations).at("operations").size() == 1);
    CHECK(daemon.ask("DELETE", kOperations + "/" + last.at("id").get<std::string>()).status == 409);
}

TEST_CASE("http: an operation cancels and removes thousands of jobs, of the filter's alone") {
    HttpDaemon daemon;
    enqueue_later(daemon, 2'500, R"("tags":["a"])", "first-00");
    enqueue_later(daemon, 2'500, R"("tags":["b"])", "second00");
    Json last = ended(
        daemon, start(daemon, R"({"action":"cancel","filter":{"state":"scheduled","tag":"a"}})"));
    CHECK(last.at("done") == 2'500);
    CHECK(last.at("looked_at") >= 5'000);
    Json jobs = daemon.json("GET", "/api/v1/stats").at("jobs");
    CHECK(jobs.at("scheduled") == 2'500);
    CHECK(jobs.at("cancelled") == 2'500);
    last = ended(daemon, start(daemon, R"({"action":"remove","filter":{"state":"cancelled",
        "all":true}})"));
    CHECK(last.at("done") == 2'500);
    daemon.json("POST", "/api/v1/queues/still/pause");
    std::string lines;
    for (int i = 0; i < 1'500; ++i)
        lines += R"({"type":"noop","queue":"still"})"
                 "\n";
    REQUIRE(daemon.ask("POST", kJobs + ":bulk", lines, kLines).status == 200);
    last = ended(
        daemon, start(daemon, R"({"action":"cancel","filter":{"state":"ready","queue":"still"}})"));
    CHECK(last.at("done") == 1'500);
    CHECK(daemon.json("GET", "/api/v1/stats").at("jobs").at("ready") == 0);
}

TEST_CASE("http: an operation at a rate takes its time, tells how far it is and can be stopped") {
    HttpDaemon daemon;
    enqueue_later(daemon, 200, R"("payload":1)", "slow-000");
    HttpClient client(daemon.port());
    const Json slow =
        start(daemon, R"({"action":"retry","filter":{"state":"scheduled","all":true},"rate":20})");
    const std::string target = kOperations + "/" + slow.at("id").get<std::string>();
    CHECK(slow.at("rate") == 20);
    CHECK(eventually([&] { return daemon.json("GET", target).at("done") >= 10; }));
    const Json stopped = daemon.json("DELETE", target);
    CHECK(stopped.at("state") == "running");
    CHECK(stopped.at("stopping") == true);
    const Json last = ended(daemon, slow);
    CHECK(last.at("state") == "cancelled");
    CHECK(last.at("done") < 200);
    CHECK(last.at("total") == 200);
    CHECK(daemon.stop() == 0);
}

TEST_CASE("http: so many operations run at once, and a stop of jobqd ends them") {
    HttpDaemon daemon;
    enqueue_later(daemon, 50, R"("payload":1)", "slow-000");
    const std::string slow =
        R"({"action":"retry","filter":{"state":"scheduled","all":true},"rate":1})";
    for (int i = 0; i < 4; ++i)
        start(daemon, slow);
    const auto refused = daemon.ask("POST", kOperations, slow);
    CHECK(refused.status == 429);
    CHECK(refused.body.find("4 operations are already running") != std::string::npos);
    CHECK(daemon.stop() == 0);
    daemon.start();
    CHECK(daemon.json("GET", kOperations).at("operations").empty());
}

TEST_CASE("http: an operation that can't be meant is refused by name") {
    HttpDaemon daemon;

    struct Row {
        const char *body, *word;
    };

    const Row rows[] = {
        {"{", "line 1"},
        {"[]", "object"},
        {"{}", "action"},
        {R"({"action":"explode","filter":{"state":"dead","all":true}})", "retry, cancel"},
        {R"({"action":"retry"})", "filter"},
        {R"({"action":"retry","filter":[]})", "filter"},
        {R"({"action":"retry","filter":{"all":true}})", "state"},
        {R"({"action":"retry","filter":{"state":"dead"}})", "\\\"all\\\":true"},
        {R"({"action":"retry","filter":{"state":"asleep","all":true}})", "asleep"},
        {R"({"action":"retry","filter":{"state":"running","all":true}})", "can't be retried"},
        {R"({"action":"remove","filter":{"state":"running","all":true}})", "can't be removed"},
        {R"({"action":"cancel","filter":{"state":"succeeded","all":true}})", "can't be cancelled"},
        {R"({"action":"retry","filter":{"state":"dead","typ":"x"}})", "typ"},
        {R"({"action":"retry","filter":{"state":"dead","all":true},"rat":1})", "rat"},
        {R"({"action":"retry","filter":{"state":"dead","all":true},"rate":-1})", "rate"},
        {R"({"action":"retry","filter":{"state":"dead","all":true},"rate":1e9})", "rate"},
        {R"({"action":"retry","filter":{"state":"dead","since":"now"}})", "since"},
    };
    for (const auto& row : rows) {
        INFO(row.body);
        const auto answer = daemon.ask("POST", kOperations, row.body);
        INFO(answer.body);
        CHECK(answer.status >= 400);
        CHECK(answer.status < 500);
        CHECK(answer.body.find(row.word) != std::string::npos);
    }
    const std::string deep = R"({"action":"retry","filter":)" + std::string(100'000, '[');
    CHECK(daemon.ask("POST", kOperations, deep).status >= 400);
    CHECK(daemon.ask("GET", kOperations + "/nobody").status == 404);
    CHECK(daemon.ask("DELETE", kOperations + "/nobody%0a").status == 404);
    CHECK(daemon.json("GET", kOperations).at("operations").empty());
}
