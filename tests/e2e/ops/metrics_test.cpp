// /metrics of a running jobqd: what it says after some jobs, what Prometheus's own checker says of
// it, and that a scrape does without Redis.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "daemon/observe/metric_table.h"
#include "tests/support/live/cli_kit.h"
#include "tests/support/live/http_kit.h"
#include "tests/support/paths.h"

namespace jobq::test {
namespace {

// The value of one series, as it is written; "" when it is not there.
std::string value_of(const std::string& text, const std::string& series) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
    return "";
}

std::string scrape(const HttpDaemon& daemon) {
    const auto answer = daemon.ask("GET", "/metrics");
    REQUIRE(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "text/plain; version=0.0.4; charset=utf-8");
    return answer.body;
}

// From Prometheus's package, in the path or where ./start put it.
std::string promtool() {
    const std::string own = std::string(kSourceDir) + "/build/promtool/usr/bin/promtool";
    return std::filesystem::exists(own) ? own : "/usr/bin/promtool";
}

}  // namespace

TEST_CASE("metrics: jobs that ran, waited and failed are there, and promtool has nothing to say") {
    HttpDaemon daemon;
    const std::string good = daemon.enqueue(R"({"type":"echo","payload":1})");
    const std::string bad = daemon.enqueue(R"({"type":"fail","payload":"no","max_attempts":1})");
    daemon.json("POST", "/api/v1/queues/reports/pause");
    daemon.enqueue(R"({"type":"noop","queue":"reports"})");
    REQUIRE(daemon.becomes(good, "succeeded"));
    REQUIRE(daemon.becomes(bad, "dead"));
    REQUIRE(eventually(
        [&] { return value_of(scrape(daemon), "jobq_queue_jobs{queue=\"reports\"}") == "1"; }));
    const std::string text = scrape(daemon);
    INFO(text);
    const std::string echo = R"(queue="default",type="echo"})";
    CHECK(value_of(text, "jobq_jobs_enqueued_total{" + echo) == "1");
    CHECK(value_of(text, "jobq_jobs_started_total{" + echo) == "1");
    CHECK(value_of(text, "jobq_jobs_finished_total{outcome=\"success\"," + echo) == "1");
    CHECK(value_of(text,
                   "jobq_jobs_dead_total{queue=\"default\",reason=\"exhausted\",type=\"fail\"}") ==
          "1");
    CHECK(value_of(text, "jobq_job_duration_seconds_count{type=\"echo\"}") == "1");
    CHECK(value_of(text, "jobq_job_wait_seconds_count{queue=\"default\"}") == "2");
    CHECK(value_of(text, "jobq_queue_paused{queue=\"reports\"}") == "1");
    CHECK(value_of(text, "jobq_jobs{state=\"dead\"}") == "1");
    CHECK(value_of(text, "jobq_ready") == "1");
    CHECK(value_of(text, "jobq_redis_up") == "1");
    CHECK(value_of(text, "jobq_redis_unknown_total") == "0");
    CHECK_FALSE(value_of(text, "jobq_redis_batch_size_count{what=\"enqueue\"}").empty());
    // What has no label is there from the first scrape on, what nothing happened to as 0.
    for (const auto& row : kMetrics) {
        INFO(row.name);
        const std::string name = row.name;
        if (*row.labels != '\0') continue;
        const bool single = row.kind == MetricKind::counter || row.kind == MetricKind::gauge;
        CHECK_FALSE(value_of(text, single ? name : name + "_count").empty());
    }

    CliCall check;
    check.program = promtool();
    check.args = {"check", "metrics"};
    check.input = text;
    check.no_input = false;
    const Ran checked = run_cli(check);
    INFO("./start test fetches promtool, or install Prometheus's package");
    CHECK(checked.status == 0);
    CHECK(checked.out + checked.err == "");
}

TEST_CASE("metrics: a scrape does without Redis") {
    HttpDaemon daemon;
    scrape(daemon);
    const pid_t redis = daemon.redis_pid();
    REQUIRE(kill(redis, SIGSTOP) == 0);
    std::vector<int> statuses;
    for (int i = 0; i < 50; ++i)
        statuses.push_back(daemon.ask("GET", "/metrics").status);
    kill(redis, SIGCONT);
    CHECK(statuses == std::vector<int>(50, 200));
}

}  // namespace jobq::test
