// The HTTP API does what the verbs do.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

const std::string kJobs = "/api/v1/jobs";

}  // namespace

TEST_CASE("http: /healthz and /readyz answer") {
    HttpDaemon daemon;
    CHECK(daemon.json("GET", "/healthz").at("status") == "ready");
    CHECK(daemon.json("GET", "/readyz").at("status") == "ready");
    CHECK(daemon.ask("HEAD", "/healthz").status == 200);
}

TEST_CASE("http: short paths are the long ones, and a job has its usual names too") {
    HttpDaemon daemon;
    const auto made = daemon.json("POST", "/jobs", R"({"type":"noop"})", 201);
    const std::string jid = made.at("job_id");
    REQUIRE(daemon.becomes(jid, "succeeded"));
    const auto job = daemon.json("GET", "/jobs/" + jid);
    CHECK(job == daemon.json("GET", kJobs + "/" + jid));
    CHECK(job.at("job_id") == jid);
    CHECK(job.at("status") == "completed");
    CHECK(job.at("completed_at") == job.at("finished_at"));
    CHECK(job.at("started_at").is_string());
    CHECK(daemon.ask("GET", "/jobs/" + jid + "/result").status == 200);
    const auto failing = daemon.enqueue(R"({"type":"fail","max_attempts":1})");
    REQUIRE(daemon.becomes(failing, "dead"));
    const auto failed = daemon.json("GET", "/failed").at("jobs");
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].at("status") == "failed");
    CHECK(failed[0].at("completed_at") == failed[0].at("finished_at"));
    const auto requeued = daemon.json("POST", "/failed/requeue", R"({"all":true})");
    CHECK(requeued.at("retried") == 1);
    CHECK(daemon.json("GET", "/stats").at("completed") == 1);
    CHECK(daemon.ask("GET", "/debug/pprof/").body.find("heap") != std::string::npos);
    CHECK(daemon.ask("PUT", "/jobs").status == 405);
    CHECK(daemon.ask("GET", "/jobsx").status == 404);
}

TEST_CASE("http: a long answer is compressed for who takes that") {
    HttpDaemon daemon;
    for (int i = 0; i < 30; ++i)
        daemon.enqueue(R"({"type":"noop","delay_ms":600000})");
    const std::string list = "/jobs?state=scheduled";
    const auto plain = daemon.ask("GET", list, "", {"Accept-Encoding: gzip;q=0"});
    CHECK(plain.headers.at("vary") == "Accept-Encoding");
    CHECK(!plain.headers.contains("content-encoding"));
    CHECK(Json::parse(plain.body).at("jobs").size() == 30);
    for (const char* no : {"gzip; q=0", "gzip;q=0.000", "gzip;Q=0", "gzip;q=0, *", "br", "*;q=0"})
        CHECK(!daemon.ask("GET", list, "", {std::string("Accept-Encoding: ") + no})
                   .headers.contains("content-encoding"));
    for (const char* yes : {"*", "gzip;q=0.5", "br;q=0, GZIP"})
        CHECK(daemon.ask("GET", list, "", {std::string("Accept-Encoding: ") + yes})
                  .headers.contains("content-encoding"));
    const auto packed = daemon.ask("GET", list, "", {"Accept-Encoding: br, gzip"});
    CHECK(packed.headers.at("content-encoding") == "gzip");
    CHECK(packed.body.size() * 5 < plain.body.size());
    TempDir dir;
    CliCall unpack;
    unpack.program = "/bin/gzip";
    unpack.args = {"-dc", dir.write("a.gz", packed.body)};
    CHECK(Json::parse(run_cli(unpack).out).at("jobs").size() == 30);
    const auto brief = daemon.ask("GET", "/healthz", "", {"Accept-Encoding: gzip"});
    CHECK(!brief.headers.contains("content-encoding"));
    const auto metrics = daemon.ask("GET", "/metrics", "", {"Accept-Encoding: gzip"});
    CHECK(metrics.headers.at("content-encoding") == "gzip");
}

TEST_CASE("http: a status lists the jobs of several states, page by page") {
    HttpDaemon daemon;
    std::set<std::string> wanted;
    for (int i = 0; i < 7; ++i)
        wanted.insert(daemon.enqueue(R"({"type":"noop","delay_ms":600000})"));
    for (int i = 0; i < 5; ++i)
        wanted.insert(daemon.enqueue(R"({"type":"nobody-runs-this","queue":"q"})"));
    const std::string done = daemon.enqueue(R"({"type":"noop"})");
    REQUIRE(daemon.becomes(done, "succeeded"));
    std::vector<std::string> seen;
    std::string next;
    do {
        const auto page = daemon.json(
            "GET", "/jobs?status=pending&limit=3" + (next.empty() ? "" : "&cursor=" + next));
        for (const auto& job : page.at("jobs")) {
            CHECK(job.at("status") == "pending");
            seen.push_back(job.at("jid"));
        }
        next = page.at("next");
    } while (!next.empty() && seen.size() < 100);
    CHECK(seen.size() == wanted.size());
    CHECK(std::set<std::string>(seen.begin(), seen.end()) == wanted);
    CHECK(daemon.json("GET", "/jobs?status=completed").at("jobs").at(0).at("jid") == done);
    CHECK(daemon.json("GET", "/jobs?status=pending&queue=q").at("jobs").size() == 5);
    CHECK(daemon.json("GET", "/jobs?status=failed").at("jobs").empty());
    CHECK(daemon.ask("GET", "/jobs?status=done").status == 400);
    CHECK(daemon.ask("GET", "/jobs?status=pending&state=ready").status == 400);
    CHECK(daemon.ask("GET", "/jobs?status=failed&cursor=AAAA").status == 400);
}

TEST_CASE("http: a job is enqueued, runs, and is shown with result and log") {
    HttpDaemon daemon(R"([type.greet]
run = ["sh", "-c", "echo to stderr >&2; echo '{\"ok\":1}'"]
[pool.work]
kind = "exec"
)");
    const auto made =
        daemon.json("POST", kJobs, R"({"type":"greet","payload":{"a":1},"tags":["t"]})", 201);
    CHECK(made.at("state") == "ready");
    CHECK(made.at("how") == "stored");
    const std::string jid = made.at("job_id");
    REQUIRE(daemon.becomes(jid, "succeeded"));

    const auto job = daemon.json("GET", kJobs + "/" + jid);
    CHECK(job.at("type") == "greet");
    CHECK(job.at("has_result") == true);
    CHECK(daemon.json("GET", kJobs + "/" + jid + "/result").at("result").at("ok") == 1);
    CHECK(daemon.ask("GET", kJobs + "/" + jid + "/log?format=text").body == "to stderr\n");
    const auto log = daemon.ask("GET", kJobs + "/" + jid + "/log?stdout=true");
    CHECK(log.headers.at("content-type") == "application/jsonl");
    CHECK(log.body.find(R"("stream":"stdout")") != std::string::npos);
    CHECK(log.body.find(R"({"end":true,"state":"succeeded")") != std::string::npos);
}

TEST_CASE("http: a log is followed while the job runs") {
    HttpDaemon daemon(R"([type.slow]
run = ["sh", "-c", "echo first >&2; while [ ! -e {dir}/go ]; do sleep 0.02; done; echo last >&2"]
[pool.work]
kind = "exec"
)");
    const std::string jid = daemon.enqueue(R"({"type":"slow"})");
    REQUIRE(daemon.becomes(jid, "running"));
    HttpClient client(daemon.port());
    client.send("GET " + kJobs + "/" + jid +
                "/log?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(client.answer(true).status == 200);
    while (client.streamed_line().find("first") == std::string::npos) {
    }
    std::ofstream(daemon.dir() / "go") << "";
    std::string line, all;
    do {
        line = client.streamed_line();
        all += line;
    } while (!line.empty());
    CHECK(all.find("last") != std::string::npos);
    CHECK(all.find(R"({"end":true,"state":"succeeded")") != std::string::npos);
}

TEST_CASE("http: Idempotency-Key makes one job of a repeat") {
    HttpDaemon daemon;
    const std::string job = R"({"type":"noop","delay_ms":60000})";
    const std::vector<std::string> key{"Idempotency-Key: \"a-1\""};
    const auto first = daemon.ask("POST", kJobs, job, key);
    const auto again = daemon.ask("POST", kJobs, job, {"Idempotency-Key: a-1"});
    CHECK(first.status == 201);
    CHECK(again.status == 200);
    CHECK(Json::parse(first.body).at("job_id") == Json::parse(again.body).at("job_id"));
    CHECK(daemon.ask("POST", kJobs, R"({"type":"noop","idempotency_key":"b"})", key).status == 400);
    CHECK(daemon.ask("POST", kJobs, job, {"Idempotency-Key: " + std::string(300, 'k')}).status ==
          422);
}

TEST_CASE("http: jobs are listed page by page, filtered, cancelled, retried, removed") {
    HttpDaemon daemon;
    for (int i = 0; i < 7; ++i)
        daemon.enqueue(R"({"type":"later","queue":"q","jid":"job-0000)" + std::to_string(i) +
                       R"(","tags":["odd)" + std::to_string(i % 2) + R"("],"delay_ms":)" +
                       std::to_string(100'000 + i) + "}");
    std::vector<std::string> seen;
    std::string cursor;
    do {
        const auto page = daemon.json("GET", kJobs + "?state=scheduled&queue=q&limit=3" + cursor);
        for (const auto& job : page.at("jobs"))
            seen.push_back(job.at("jid"));
        const std::string next = page.at("next");
        cursor = next.empty() ? "" : "&cursor=" + next;
    } while (!cursor.empty());
    CHECK(seen.size() == 7);
    CHECK(daemon.json("GET", kJobs + "?state=scheduled&tag=odd1").at("jobs").size() == 3);
    CHECK(daemon.json("GET", kJobs + "?state=scheduled&type=other").at("jobs").empty());

    CHECK(daemon.json("DELETE", kJobs + "/job-00001").at("was") == "scheduled");
    CHECK(daemon.ask("DELETE", kJobs + "/job-00001").status == 409);
    CHECK(daemon.json("POST", kJobs + "/job-00002/retry").at("ok") == true);
    CHECK(daemon.json("GET", kJobs + "/job-00002").at("state") == "ready");
    CHECK(daemon.json("POST", kJobs + "/job-00003/remove").at("ok") == true);
    for (const char* what : {"", "/result", "/log"})
        CHECK(daemon.ask("GET", kJobs + "/job-00003" + what).status == 404);
    CHECK(daemon.ask("GET", kJobs + "/job-00004/result").status == 409);
}

TEST_CASE("http: dead jobs are listed and retried by filter") {
    HttpDaemon daemon;
    for (int i = 0; i < 3; ++i)
        daemon.enqueue(R"({"type":"fail","max_attempts":1})");
    CHECK(eventually([&] { return daemon.json("GET", "/api/v1/stats").at("failed") == 3; }));
    CHECK(daemon.json("GET", "/api/v1/dead?limit=2").at("jobs").size() == 2);
    const std::string retry = "/api/v1/dead/retry";
    CHECK(daemon.json("POST", retry, R"({"all":true,"dry_run":true})").at("matched") == 3);
    CHECK(daemon.json("POST", retry, R"({"type":"other"})").at("retried") == 0);
    const auto some = daemon.json("POST", retry, R"({"type":"fail","dry_run":true,"limit":2})");
    const std::string next = some.at("next");
    CHECK(!next.empty());
    CHECK(daemon.ask("POST", retry, R"({"type":"fail","cursor":")" + next + "\"}").status == 200);
    for (const char* wrong :
         {"{}", R"({"all":1})", R"({"al":true})", R"({"all":true,"cursor":"x"})",
          R"({"all":true,"since":"yesterday"})"})
        CHECK(daemon.ask("POST", retry, wrong).status >= 400);
}

TEST_CASE("http: queues are paused, resumed and cleared, workers are told") {
    HttpDaemon daemon;
    CHECK(daemon.json("POST", "/api/v1/queues/q1/pause").at("ok") == true);
    daemon.enqueue(R"({"type":"noop","queue":"q1"})");
    const auto queues = daemon.json("GET", "/api/v1/queues").at("queues");
    CHECK(queues.size() == 1);
    CHECK(queues[0].at("paused") == true);
    CHECK(queues[0].at("size") == 1);
    CHECK(daemon.json("POST", "/api/v1/queues/q1/resume").at("ok") == true);
    CHECK(daemon.json("POST", "/api/v1/queues/q1/clear").at("removed") == 1);
    CHECK(daemon.ask("POST", "/api/v1/queues/a%20b/pause").status == 400);
    CHECK(daemon.json("GET", "/api/v1/workers").at("workers").is_array());
    CHECK(daemon.ask("POST", "/api/v1/workers/nobody/quiet").status == 404);
    CHECK(daemon.ask("GET", "/api/v1/cron").status == 501);
}

TEST_CASE("http: a million bytes of lines are enqueued in one request, each told by its number") {
    HttpDaemon daemon;
    std::string lines;
    for (int i = 1; i <= 3'000; ++i)
        lines += i % 1'000 == 0 ? "{\"typ\":1}\n\n"
                                : R"({"type":"later","delay_ms":900000,"payload":")" +
                                      std::string(400, 'x') + "\"}\n";
    lines += R"({"type":"last","delay_ms":900000})";
    const auto answer =
        daemon.ask("POST", kJobs + ":bulk", lines, {"Content-Type: application/jsonl"});
    CHECK(answer.status == 200);
    std::vector<Json> results;
    for (size_t at = 0; at < answer.body.size();) {
        const size_t end = answer.body.find('\n', at);
        results.push_back(Json::parse(answer.body.substr(at, end - at)));
        at = end + 1;
    }
    REQUIRE(results.size() == 3'001);
    CHECK(results[0].at("line") == 1);
    CHECK(results[999].at("code") == "INVALID");
    CHECK(results[1'000].at("line") == 1'002);
    CHECK(results[3'000].at("line") == 3'004);
    CHECK(results[3'000].count("job_id") == 1);
    CHECK(daemon.count("scheduled") == 2'998);
}

TEST_CASE("http: a line over its limit refuses itself alone") {
    HttpDaemon daemon;
    const std::string long_line =
        R"({"type":"a","payload":")" + std::string(1'200'000, 'x') + "\"}";
    const auto answer = daemon.ask("POST", kJobs + ":bulk",
                                   long_line + "\n" + R"({"type":"b","delay_ms":9000})" + "\n",
                                   {"Content-Type: application/x-ndjson"});
    const size_t end = answer.body.find('\n');
    CHECK(Json::parse(answer.body.substr(0, end)).at("code") == "TOO_LARGE");
    CHECK(Json::parse(answer.body.substr(end)).at("line") == 2);
}

TEST_CASE("http: what has not changed is not sent again") {
    HttpDaemon daemon;
    const std::string jid = daemon.enqueue(R"({"type":"later","delay_ms":600000})");
    HttpClient client(daemon.port());
    const std::string target = "/api/openapi.json";
    const auto first = client.ask("GET", target);
    const std::string tag = first.headers.at("etag");
    const auto again = client.ask("GET", target, "", {"If-None-Match: " + tag});
    CHECK(again.status == 304);
    CHECK(again.body.empty());
    CHECK(client.ask("GET", target, "", {"If-None-Match: \"other\""}).status == 200);
    CHECK(client.ask("GET", kJobs + "/" + jid).headers.count("etag") == 1);
}

TEST_CASE("http: it is served on a Unix socket too, whatever the host") {
    LiveDaemon daemon("[listen]\nhttp = \"unix:{dir}/http.sock\"\n");
    HttpClient client(daemon.dir() / "http.sock");
    CHECK(client.ask("GET", "/readyz", "", {"Host: any.example"}).status == 200);
    CHECK(daemon.stop() == 0);
    CHECK(::access((daemon.dir() / "http.sock").c_str(), F_OK) != 0);
}

TEST_CASE("http: the password of [listen] is asked for on TCP") {
    HttpDaemon daemon("password_file = \"{dir}/password\"\n", [](const std::string& state) {
        std::ofstream(std::filesystem::path(state).parent_path() / "password") << "s3cret\n";
    });
    const std::string stats = "/api/v1/stats";
    const auto asked = daemon.ask("GET", stats);
    CHECK(asked.status == 401);
    CHECK(asked.headers.count("www-authenticate") == 1);
    CHECK(daemon.ask("GET", stats, "", {"Authorization: Bearer wrong"}).status == 401);
    CHECK(daemon.ask("GET", stats, "", {"Authorization: Bearer s3cret"}).status == 200);
    CHECK(daemon.ask("GET", stats, "", {"Authorization: Basic OnMzY3JldA=="}).status == 200);
    CHECK(daemon.ask("GET", stats, "", {"Authorization: Basic !"}).status == 401);
    CHECK(daemon.ask("GET", "/readyz").status == 200);
}
