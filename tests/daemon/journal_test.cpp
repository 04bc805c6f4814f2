// Journal: each thing that happens to a job is one event, one line of the log, and what it counts
// in metrics, spans and totals; no more and no less.
#include "daemon/broker/journal.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/time.h"
#include "daemon/observe/job_events.h"
#include "daemon/observe/job_log.h"
#include "daemon/observe/job_metrics.h"
#include "daemon/observe/job_totals.h"
#include "daemon/observe/log.h"
#include "daemon/observe/tracer.h"
#include "tests/support/builders.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// What is written to stderr meanwhile.
class Stderr {
  public:
    Stderr() : saved_(dup(STDERR_FILENO)), file_(memfd_create("stderr", MFD_CLOEXEC)) {
        log_flush();
        dup2(file_, STDERR_FILENO);
    }

    ~Stderr() {
        dup2(saved_, STDERR_FILENO);
        close(saved_);
        close(file_);
    }

    Stderr(const Stderr&) = delete;

    std::string take() const {
        log_flush();
        std::string text(size_t(lseek(file_, 0, SEEK_END)), '\0');
        if (pread(file_, text.data(), text.size(), 0) < 0) text.clear();
        if (ftruncate(file_, 0) != 0) text.clear();
        lseek(file_, 0, SEEK_SET);
        return text;
    }

  private:
    int saved_, file_;
};

// "LEVEL EVENT" of each line.
std::vector<std::string> events_of_log(const std::string& text) {
    std::vector<std::string> found;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string time, level, event;
        words >> time >> level >> event;
        if (event.ends_with(':')) event.pop_back();
        found.push_back(level + " " + event);
    }
    return found;
}

// The counters of jobs that are not 0, "name{labels} value".
std::vector<std::string> counters_of(const Metrics& metrics) {
    std::vector<std::string> found;
    std::istringstream in(metrics.text());
    for (std::string line; std::getline(in, line);) {
        const bool is_ours = line.starts_with("jobq_jobs_") || line.starts_with("jobq_leases_") ||
                             line.starts_with("jobq_enqueue_refused");
        if (is_ours && !line.ends_with(" 0")) found.push_back(line);
    }
    return found;
}

struct Happening {
    const char* what;
    std::function<void(JobObserver&)> tell;
    std::string event, line;  // "": none
    std::vector<std::string> counters;
    size_t spans = 0;
    int64_t enqueued = 0, finished = 0;
};

constexpr int64_t kNow = TestReactor::kStartWallMs;

const Job& the_job() {
    static const Job job = a_job("mail", "job-0001");
    return job;
}

RunReport report_of(Outcome outcome) {
    RunReport report;
    report.outcome = outcome;
    report.started_ms = kNow;
    report.ended_ms = kNow + 250;
    report.message = "because";
    return report;
}

// The end of an attempt.
std::function<void(JobObserver&)> end(Outcome outcome, Move move, const char* reason,
                                      const Job* news = nullptr) {
    return [=](JobObserver& journal) {
        const JobRecord record;
        const RunReport report = report_of(outcome);
        journal.ended({the_job(), record, kNow, report, move, reason, "w-1", kNow + 60'000, news});
    };
}

std::string counter(const std::string& name, const std::string& more = "") {
    return "jobq_jobs_" + name + "_total{" + more + "queue=\"default\",type=\"mail\"} 1";
}

std::string dead(const std::string& reason) {
    return "jobq_jobs_dead_total{queue=\"default\",reason=\"" + reason + "\",type=\"mail\"} 1";
}

// Jobs that come and start.
std::vector<Happening> beginnings() {
    return {
        {"enqueued",
         [](JobObserver& j) {
             j.enqueued({the_job(), State::ready});
         },
         "enqueued",
         "debug job.enqueued",
         {counter("enqueued")},
         1,
         1},
        {"enqueued, and nobody wanted to know more than queue and type",
         [](JobObserver& j) {
             j.enqueued({the_job(), State::ready, false});
         },
         "",
         "",
         {counter("enqueued")},
         0,
         1},
        {"refused",
         [](JobObserver& j) { j.refused(ErrorCode::forbidden); },
         "",
         "",
         {"jobq_enqueue_refused_total{code=\"FORBIDDEN\"} 1"}},
        {"imported", [](JobObserver& j) { j.imported(3); }, "", "info job.imported", {}, 0, 3},
        {"started",
         [](JobObserver& j) {
             const JobRecord record;
             j.started({the_job(), record, "w-1", kNow + 5});
         },
         "started",
         "debug job.started",
         {counter("started")}},
    };
}

// A row for the end of an attempt.
Happening an_end_row(const char* what, std::function<void(JobObserver&)> tell, std::string event,
                     std::string line, std::vector<std::string> counters, size_t spans = 2) {
    return {what, std::move(tell), std::move(event), std::move(line), std::move(counters), spans, 0,
            1};
}

std::vector<Happening> ends() {
    static const Job news = a_job("jobq.webhook", "news-0001");
    const std::string good = counter("finished", "outcome=\"success\","),
                      bad = counter("finished", "outcome=\"failure\","),
                      over = counter("finished", "outcome=\"cancelled\",");
    return {
        an_end_row("succeeded", end(Outcome::success, Move::succeed, ""), "finished",
                   "info job.finished", {good}),
        an_end_row("succeeded, with news for a webhook",
                   end(Outcome::success, Move::succeed, "", &news), "finished", "info job.finished",
                   {good}, 3),
        an_end_row("failed, to be run again", end(Outcome::failure, Move::retry, ""), "retry",
                   "info job.retry", {bad, counter("retried")}),
        an_end_row("failed for good", end(Outcome::failure, Move::dead, "exhausted"), "dead",
                   "warning job.dead", {bad, dead("exhausted")}),
        an_end_row("failed, and left no record", end(Outcome::failure, Move::drop, ""), "dropped",
                   "info job.dropped", {bad}),
        an_end_row("cancelled while it ran", end(Outcome::cancelled, Move::cancel, ""), "cancelled",
                   "info job.cancelled", {over}),
    };
}

// What happens to jobs that do not run, and to queues and owners.
std::vector<Happening> others() {
    auto buried = [](JobObserver& j) {
        const JobRecord record;
        j.buried({the_job(), record, "forbidden", "it may not run", false});
    };
    auto cancelled = [](State was) {
        return [was](JobObserver& j) {
            const Job& job = the_job();
            j.cancelled({job.jid, job.type, job.queue, was});
        };
    };
    auto paused = [](bool on) { return [on](JobObserver& j) { j.paused("mail", on); }; };
    auto released = [](JobObserver& j) { j.released("job-0001"); };
    const std::string lost = "jobq_leases_lost_total 2", late = "jobq_leases_expired_total 2";
    return {
        {"buried", buried, "dead", "error job.forbidden", {dead("forbidden")}},
        {"expired",
         [](JobObserver& j) { j.expired(the_job()); },
         "expired",
         "",
         {counter("expired")}},
        {"cancelled while it waited", cancelled(State::ready), "cancelled", "info job.cancel", {}},
        {"asked to end", cancelled(State::running), "", "info job.cancel", {}},
        {"released", released, "", "info job.release", {}},
        {"paused", paused(true), "queue_paused", "info queue.paused", {}},
        {"resumed", paused(false), "queue_resumed", "info queue.resumed", {}},
        {"flushed", [](JobObserver& j) { j.flushed(); }, "", "warning store.flushed", {}},
        {"lost", [](JobObserver& j) { j.leases_lost(2); }, "", "", {lost}},
        {"late", [](JobObserver& j) { j.leases_expired(2); }, "", "", {late}},
    };
}

std::vector<Happening> happenings() {
    std::vector<Happening> all = beginnings();
    for (const auto& rows : {ends(), others()})
        all.insert(all.end(), rows.begin(), rows.end());
    return all;
}

struct Rig {
    TestReactor reactor;
    Metrics metrics;
    JobMetrics counted{metrics};
    Tracer tracer{reactor, metrics};
    Events bus{reactor};
    JobEvents events{reactor, bus};
    JobLog lines{tracer};
    JobTotals totals;
    Journal journal{{&counted, &tracer, &events, &lines, &totals}};

    ~Rig() { log_open("warn", false); }
};

}  // namespace

TEST_CASE("journal: each thing that happens is told to all, once and as it is") {
    for (const auto& one : happenings()) {
        INFO(one.what);
        Rig rig;
        log_open("debug", false);
        auto subscription = rig.bus.subscribe();
        std::string text;
        {
            Stderr captured;
            one.tell(rig.journal);
            text = captured.take();
        }
        INFO(text << rig.metrics.text());
        std::vector<std::string> events, lines;
        for (const auto& event : subscription->waiting) {
            events.push_back(event->name);
            const auto json = nlohmann::json::parse(event->json);
            CHECK(json.at("event") == event->name);
            CHECK(json.at("time") == format_rfc3339(rig.reactor.wall_ms()));
            for (const char* key : {"jid", "type", "queue"})
                CHECK(json.at(key).is_string());
        }
        if (!one.event.empty()) lines.push_back(one.event);
        CHECK(events == lines);
        lines.clear();
        if (!one.line.empty()) lines.push_back(one.line);
        CHECK(events_of_log(text) == lines);
        CHECK(counters_of(rig.metrics) == one.counters);
        CHECK(rig.tracer.waiting() == one.spans);
        CHECK(rig.totals.enqueued() == one.enqueued);
        CHECK(rig.totals.finished() == one.finished);
    }
}

TEST_CASE("journal: events say what they said, in the same words") {
    Rig rig;
    log_open("off", false);
    auto subscription = rig.bus.subscribe();
    const std::string head =
        "{\"time\":\"" + format_rfc3339(rig.reactor.wall_ms()) + "\",\"event\":\"";
    const std::string job = "\",\"jid\":\"job-0001\",\"type\":\"mail\",\"queue\":\"default\"";
    const std::string ends = format_rfc3339_us((kNow + 250) * 1000);
    const std::vector<std::string> said{
        head + "enqueued" + job + ",\"state\":\"ready\"}",
        head + "started" + job + ",\"attempt\":1,\"worker\":\"w-1\"}",
        head + "dead" + job + ",\"attempt\":1,\"outcome\":\"failure\",\"started_at\":\"" +
            format_rfc3339_us(kNow * 1000) + "\",\"ended_at\":\"" + ends +
            "\",\"duration_ms\":250,\"worker\":\"w-1\"}",
        head + "dead" + job +
            ",\"reason\":\"corrupt\",\"attempt\":1,\"message\":\"a \\\"word\\\"\"}",
        head + "cancelled" + job + "}",
        head + "queue_paused\",\"jid\":\"\",\"type\":\"\",\"queue\":\"mail\"}",
    };
    const JobRecord record;
    rig.journal.enqueued({the_job(), State::ready});
    rig.journal.started({the_job(), record, "w-1", kNow});
    end(Outcome::failure, Move::dead, "exhausted")(rig.journal);
    rig.journal.buried({the_job(), record, "corrupt", "a \"word\"", true});
    const Job& known = the_job();
    rig.journal.cancelled({known.jid, known.type, known.queue, State::scheduled});
    rig.journal.paused("mail", true);
    std::vector<std::string> heard;
    for (const auto& event : subscription->waiting)
        heard.push_back(event->json);
    CHECK(heard == said);
}

TEST_CASE(
    "journal: nothing is made for whom nobody listens, and more is asked for if one reads it") {
    Rig rig;
    log_open("warn", false);
    rig.tracer.turn(false);
    CHECK_FALSE(rig.journal.reads_enqueued());
    rig.journal.enqueued({the_job(), State::ready});
    end(Outcome::success, Move::succeed, "")(rig.journal);
    CHECK(rig.tracer.waiting() == 0);
    CHECK(rig.totals.finished() == 1);
    rig.tracer.turn(true);
    CHECK(rig.journal.reads_enqueued());
    rig.tracer.turn(false);
    log_open("debug", false);
    CHECK(rig.journal.reads_enqueued());
    log_open("warn", false);
    auto subscription = rig.bus.subscribe({{"enqueued"}, "", ""});
    CHECK(rig.journal.reads_enqueued());
    rig.journal.enqueued({the_job(), State::ready});
    REQUIRE(subscription->waiting.size() == 1);
    CHECK(subscription->waiting.front()->queue == "default");
    CHECK(subscription->waiting.front()->type == "mail");
}

TEST_CASE("journal: while traces are off a job keeps the trace it came with") {
    Rig rig;
    Job job = the_job();
    const std::string id = "0af7651916cd43dd8448eb211c80319c";
    job.traceparent = "00-" + id + "-b7ad6b7169203331-01";
    for (bool on : {true, false}) {
        INFO("on " << on);
        rig.tracer.turn(on);
        CHECK(rig.tracer.trace_id_of(job) == id);
        CHECK((rig.tracer.traceparent_of(job, {}, kNow) == job.traceparent) == !on);
        CHECK(rig.tracer.traceparent_of(job, {}, kNow).substr(3, 32) == id);
        CHECK(rig.tracer.trace_id_of(the_job()).empty() == !on);
    }
    CHECK(no_traces().trace_id_of(job) == id);
    CHECK(no_traces().traceparent_of(job, {}, kNow) == job.traceparent);
}
