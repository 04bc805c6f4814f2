// daemon/observe metrics: the table, the text, and that the number of series has a bound.
#include "daemon/observe/metrics.h"

#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "core/base/limits.h"
#include "daemon/observe/job_metrics.h"
#include "daemon/observe/process_figures.h"
#include "tests/support/run_task.h"

namespace jobq::test {
namespace {

size_t lines_with(const std::string& text, const std::string& what) {
    size_t count = 0;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        count += line.find(what) != std::string::npos;
    return count;
}

size_t series_in(const std::string& text) {
    return lines_with(text, "") - lines_with(text, "# ");
}

// What happens to a job of that queue and type.
struct Told {
    Told(std::string queue, std::string type) {
        job.queue = std::move(queue);
        job.type = std::move(type);
        job.created_ms = kCreatedMs;
    }

    void enqueued(JobMetrics& jobs) const { jobs.enqueued({job, State::ready}); }

    void started(JobMetrics& jobs, int64_t wait_ms) const {
        jobs.started({job, record, "w", kCreatedMs + wait_ms});
    }

    void ended(JobMetrics& jobs, Outcome outcome, Move move, std::string_view reason,
               int64_t ran_ms) const {
        RunReport report;
        report.outcome = outcome;
        report.started_ms = kCreatedMs;
        report.ended_ms = kCreatedMs + ran_ms;
        jobs.ended({job, record, kCreatedMs, report, move, reason});
    }

    static constexpr int64_t kCreatedMs = 1'000'000;
    Job job;
    JobRecord record;
};

}  // namespace

TEST_CASE("metrics: names are unique, jobq's or the process's, and counters end in _total") {
    std::set<std::string> names;
    for (const auto& row : kMetrics) {
        const std::string name = row.name, help = row.help;
        INFO(name);
        CHECK(names.insert(name).second);
        CHECK((name.starts_with("jobq_") || name.starts_with("process_")));
        CHECK(name.ends_with("_total") == (row.kind == MetricKind::counter));
        CHECK(name.ends_with("_seconds") >=
              (row.kind == MetricKind::seconds || row.kind == MetricKind::moments));
        CHECK((!help.empty() && help.back() == '.'));
    }
}

TEST_CASE("metrics: what happened to jobs is counted by queue, type and outcome") {
    Metrics metrics;
    JobMetrics jobs(metrics);
    const Told told("mail", "welcome");
    told.enqueued(jobs);
    told.enqueued(jobs);
    jobs.refused(ErrorCode::storage_full);
    told.started(jobs, 30);
    told.ended(jobs, Outcome::failure, Move::retry, "", 2'000);
    told.ended(jobs, Outcome::crash, Move::dead, "poison", 10);
    jobs.expired(told.job);
    jobs.leases_lost(3);
    const std::string text = metrics.text();
    for (const char* line :
         {"jobq_jobs_enqueued_total{queue=\"mail\",type=\"welcome\"} 2\n",
          "jobq_enqueue_refused_total{code=\"STORAGE_FULL\"} 1\n",
          "jobq_jobs_started_total{queue=\"mail\",type=\"welcome\"} 1\n",
          "jobq_jobs_finished_total{outcome=\"failure\",queue=\"mail\",type=\"welcome\"} 1\n",
          "jobq_jobs_finished_total{outcome=\"crash\",queue=\"mail\",type=\"welcome\"} 1\n",
          "jobq_jobs_retried_total{queue=\"mail\",type=\"welcome\"} 1\n",
          "jobq_jobs_dead_total{queue=\"mail\",reason=\"poison\",type=\"welcome\"} 1\n",
          "jobq_jobs_expired_total{queue=\"mail\",type=\"welcome\"} 1\n",
          "jobq_job_wait_seconds_bucket{queue=\"mail\",le=\"0.025\"} 0\n",
          "jobq_job_wait_seconds_bucket{queue=\"mail\",le=\"0.05\"} 1\n",
          "jobq_job_duration_seconds_count{type=\"welcome\"} 2\n", "jobq_leases_lost_total 3\n"}) {
        INFO(line << "in\n" << text);
        CHECK(text.find(line) != std::string::npos);
    }
    // Families in the order of the table, each once.
    size_t last = 0;
    for (const auto& row : kMetrics) {
        const size_t at = text.find("# TYPE " + std::string(row.name) + " ");
        if (at == std::string::npos) continue;
        CHECK(at > last);
        last = at;
    }
}

TEST_CASE("metrics: labels of a scrape are escaped, and asked for each time") {
    Metrics metrics;
    int scrapes = 0;
    metrics.on_scrape([&](Metrics::Sheet& sheet) {
        sheet.set(Metric::queue_jobs, ++scrapes, {{"queue", "a\"b\\c\nd"}});
    });
    CHECK(metrics.text().find("jobq_queue_jobs{queue=\"a\\\"b\\\\c\\nd\"} 1\n") !=
          std::string::npos);
    CHECK(metrics.text().find("} 2\n") != std::string::npos);
}

TEST_CASE("metrics: a million type names leave the number of series as it is") {
    Metrics metrics;
    JobMetrics jobs(metrics);
    auto run = [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
            const std::string queue = "q" + std::to_string(i % 1'009),
                              type = "type-" + std::to_string(i);
            const Told told(queue, type);
            told.enqueued(jobs);
            told.started(jobs, 1);
            told.ended(jobs, Outcome::failure, Move::dead, "exhausted", 1);
        }
    };
    run(0, 20'000);
    const size_t series = series_in(metrics.text());
    CHECK(lines_with(metrics.text(), "type=\"other\"") > 0);
    run(20'000, 1'000'000);
    const std::string text = metrics.text();
    CHECK(series_in(text) == series);
    CHECK(lines_with(text, "jobq_jobs_enqueued_total{") <= JobMetrics::kPairs + 1);
    CHECK(text.size() < 2'000'000);
}

TEST_CASE("metrics: figures of this process are plausible") {
    const ProcessFigures figures = process_figures();
    CHECK(figures.resident_bytes > 1 << 20);
    CHECK(figures.virtual_bytes >= figures.resident_bytes);
    CHECK(figures.descriptors >= 3);
    CHECK(figures.descriptors_limit >= figures.descriptors);
    const double now = double(time(nullptr));
    CHECK(figures.started_s <= now + 1);
    CHECK(figures.started_s > now - 3'600);
}

TEST_CASE("metrics: a long text is made in turns, and is the same text") {
    Metrics metrics;
    JobMetrics jobs(metrics);
    for (int i = 0; i < 150; ++i) {
        const Told told("queue" + std::to_string(i), "type");
        told.enqueued(jobs);
        told.started(jobs, i);
    }
    TestReactor reactor;
    const std::string whole = metrics.text();
    CHECK(lines_with(whole, "# TYPE jobq_job_wait_seconds ") == 1);
    CHECK(run_task(reactor, metrics.text_in_turns(reactor)) == whole);
    CHECK(reactor.fired() >= whole.size() / limits::kScrapePieceBytes / 2);
}

}  // namespace jobq::test
