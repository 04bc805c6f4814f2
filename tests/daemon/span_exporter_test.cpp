// SpanExporter and Tracer on virtual time, with a collector that does what the test says.
#include "daemon/observe/span_exporter.h"

#include <catch2/catch.hpp>
#include <deque>

#include "tests/support/collector.h"
#include "tests/support/test_reactor.h"

using namespace jobq;
using namespace jobq::test;

namespace {

class FakeCollector final : public SpanSender {
  public:
    explicit FakeCollector(TestReactor& reactor) : reactor_(reactor), given_up_(reactor) {}

    task<CollectorAnswer> send(std::string body, int64_t limit_ms) override {
        at_ms.push_back(reactor_.now_ms());
        sizes.push_back(decode_otlp(body).size());
        CHECK(++in_flight == 1);
        auto answer = otherwise;
        if (!answers.empty()) {
            answer = answers.front();
            answers.pop_front();
        }
        const int64_t takes = std::min(takes_ms, limit_ms);
        auto wait = given_up_.wait(takes);
        if (takes > 0) co_await wait;
        if (takes_ms > limit_ms || gave_up) answer = {.error = "it did not answer in time"};
        --in_flight;
        co_return answer;
    }

    void give_up() override {
        gave_up = true;
        given_up_.notify_all();
    }

    CollectorAnswer otherwise{.status = 200, .body = "{}"};
    std::deque<CollectorAnswer> answers;
    int64_t takes_ms = 0;
    int in_flight = 0;
    bool gave_up = false;
    std::vector<int64_t> at_ms;
    std::vector<size_t> sizes;

  private:
    TestReactor& reactor_;
    Signal given_up_;
};

struct Rig {
    TestReactor reactor;
    Metrics metrics;
    Tracer tracer{reactor, metrics};
    FakeCollector collector{reactor};
    SpanExporter exporter{reactor,
                          tracer,
                          collector,
                          {{"service.name", "jobqd"},
                           {"service.version", "1"},
                           {"service.instance.id", "i"},
                           {"host.name", "h"}}};
    int jobs = 0;

    Rig() {
        exporter.start();
        reactor.run_until_idle();
    }

    ~Rig() { stop(); }

    void stop() {
        if (stopped_) return;
        stopped_ = true;
        spawn(exporter.stop());
        reactor.run_until_idle();
        while (!done()) {
            if (!reactor.advance_to_next_timer()) break;
        }
    }

    bool done() const { return collector.in_flight == 0 && tracer.waiting() == 0; }

    void enqueue(int count) {
        for (int i = 0; i < count; ++i) {
            Job job;
            job.jid = "job-" + std::to_string(++jobs);
            job.type = "t";
            job.created_ms = reactor.wall_ms();
            tracer.enqueued({job, State::ready});
        }
        reactor.run_until_idle();
    }

    // A counter of /metrics.
    int64_t count(const std::string& name) const {
        const std::string text = metrics.text();
        size_t at = text.find("\n" + name + " ");
        REQUIRE(at != text.npos);
        return std::stoll(text.substr(at + name.size() + 2));
    }

    int64_t sent() const { return count("jobq_trace_spans_exported_total"); }

    int64_t failures() const { return count("jobq_trace_export_failures_total"); }

    int64_t dropped(const std::string& reason) const {
        return count("jobq_trace_spans_dropped_total{reason=\"" + reason + "\"}");
    }

  private:
    bool stopped_ = false;
};

}  // namespace

TEST_CASE("spans are sent five seconds after the first, or when 512 wait") {
    Rig rig;
    rig.enqueue(3);
    rig.reactor.advance(4'999);
    CHECK(rig.collector.sizes.empty());
    rig.reactor.advance(1);
    CHECK(rig.collector.sizes == std::vector<size_t>{3});
    rig.enqueue(511);
    CHECK(rig.collector.sizes.size() == 1);
    rig.enqueue(1);
    CHECK(rig.collector.sizes == std::vector<size_t>{3, 512});
    rig.enqueue(1'300);
    rig.reactor.advance(5'000);
    CHECK(rig.collector.sizes == std::vector<size_t>{3, 512, 512, 512, 276});
    CHECK(rig.sent() == 1'815);
    CHECK(rig.failures() == 0);
    // With nothing to send no timer runs.
    CHECK(rig.reactor.timers() == 0);
}

TEST_CASE("a collector that hangs keeps one request and 2048 spans, and the rest are counted") {
    Rig rig;
    rig.collector.takes_ms = 3'600'000;
    rig.enqueue(600);
    CHECK(rig.collector.in_flight == 1);
    rig.enqueue(5'000);
    CHECK(rig.tracer.waiting() == Tracer::kSpans);
    CHECK(rig.dropped("queue_full") == 5'600 - 512 - 2'048);
    rig.reactor.advance(10'000);
    CHECK(rig.failures() == 1);
    rig.collector.takes_ms = 0;  // it is back
    rig.reactor.advance(20'000);
    CHECK(rig.sent() == 512 + 2'048);
    CHECK(rig.tracer.waiting() == 0);
}

TEST_CASE(
    "what is refused for now is tried again, with a growing pause or when the collector says") {
    for (int status : {429, 502, 503, 504}) {
        Rig rig;
        rig.collector.answers = {
            {.status = status}, {.status = status, .retry_after_s = 20}, {.error = "refused"}};
        rig.enqueue(2);
        rig.reactor.advance(60'000);
        REQUIRE(rig.collector.at_ms.size() == 4);
        const auto& at = rig.collector.at_ms;
        CHECK(at[1] - at[0] >= 500);
        CHECK(at[1] - at[0] <= 625);
        CHECK(at[2] - at[1] >= 20'000);
        CHECK(at[3] - at[2] >= 2'000);
        CHECK(rig.sent() == 2);
        CHECK(rig.failures() == 3);
        CHECK(rig.dropped("collector") == 0);
    }
}

TEST_CASE("a collector that stays away costs a batch a minute, and the next ones have their turn") {
    Rig rig;
    rig.collector.otherwise = {.error = "Connection refused"};
    rig.enqueue(512);
    rig.enqueue(10);
    rig.reactor.advance(61'000);
    CHECK(rig.dropped("collector") == 512);
    // At 0, 0.5, 1.5, 3.5, 7.5, 15.5, 30.5 and 45.5 s, each pause up to a quarter longer by chance.
    CHECK(std::count(rig.collector.sizes.begin(), rig.collector.sizes.end(), 512) == 8);
    rig.collector.otherwise = {.status = 200};
    rig.reactor.advance(20'000);
    CHECK(rig.sent() == 10);
}

TEST_CASE("what a collector will never take is not sent again") {
    for (int status : {400, 401, 404, 413, 500, 301}) {
        Rig rig;
        rig.collector.answers = {{.status = status, .body = "no"}};
        rig.enqueue(4);
        rig.reactor.advance(60'000);
        CHECK(rig.collector.at_ms.size() == 1);
        CHECK(rig.dropped("rejected") == 4);
    }
}

TEST_CASE("partialSuccess is read, whatever stands in it") {
    const std::vector<std::pair<std::string, int64_t>> bodies{
        {R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}})", 2},
        {R"({"partialSuccess":{"rejectedSpans":3}})", 3},
        {R"({"partialSuccess":{"rejectedSpans":"900"}})", 4},
        {R"({"partialSuccess":{"rejectedSpans":-7}})", 0},
        {R"({"partialSuccess":{"rejectedSpans":"x","errorMessage":5}})", 0},
        {R"({"partialSuccess":[]})", 0},
        {R"({"partialSuccess":{}})", 0},
        {"", 0},
        {"<html>", 0},
        {std::string(60'000, '['), 0},
    };
    for (const auto& [body, rejected] : bodies) {
        CAPTURE(body.substr(0, 80));
        Rig rig;
        rig.collector.answers = {{.status = 200, .body = body}};
        rig.enqueue(4);
        rig.reactor.advance(5'000);
        CHECK(rig.sent() == 4 - rejected);
        CHECK(rig.dropped("rejected") == rejected);
    }
}

TEST_CASE("a stop sends what waits, within two seconds") {
    Rig rig;
    rig.enqueue(1'200);
    const int64_t began = rig.reactor.now_ms();
    SECTION("to one that answers") {
        rig.stop();
        CHECK(rig.sent() == 1'200);
        CHECK(rig.reactor.now_ms() == began);
    }
    SECTION("to one that refuses: one try") {
        rig.collector.otherwise = {.status = 503};
        rig.stop();
        CHECK(rig.reactor.now_ms() <= began + 2'000);
        CHECK(rig.sent() == 1'024);  // before
    }
    SECTION("to one that hangs from now on") {
        rig.collector.takes_ms = 3'600'000;
        rig.enqueue(600);
        REQUIRE(rig.collector.in_flight == 1);
        rig.stop();
        CHECK(rig.collector.gave_up);
        CHECK(rig.reactor.now_ms() == began + 2'000);
        CHECK(rig.dropped("stopped") == 1'800 - 1'024);
    }
}

TEST_CASE("jobs that were not sampled by their caller, or by the ratio, leave no spans") {
    Rig rig;
    Job job;
    job.jid = "12345678";
    job.type = "t";
    job.created_ms = rig.reactor.wall_ms();
    rig.tracer.set_ratio(0);
    rig.tracer.enqueued({job, State::ready});
    CHECK(rig.tracer.waiting() == 0);
    job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    rig.tracer.enqueued({job, State::ready});
    CHECK(rig.tracer.waiting() == 1);
    rig.tracer.set_ratio(1);
    job.traceparent.back() = '0';
    rig.tracer.enqueued({job, State::ready});
    CHECK(rig.tracer.waiting() == 1);
    // The attempt hears of its trace all the same, with the flag.
    const std::string told = rig.tracer.traceparent_of(job, {}, 5);
    CHECK(told.substr(0, 36) == job.traceparent.substr(0, 36));
    CHECK(told.ends_with("-00"));
    CHECK(told != job.traceparent);
}

TEST_CASE("a run's times are kept within the lease, whatever the worker's clock says") {
    Rig rig;
    Job job;
    job.jid = "12345678";
    job.type = "t";
    job.created_ms = rig.reactor.wall_ms();
    rig.reactor.advance(100);
    const int64_t leased = rig.reactor.wall_ms();
    rig.reactor.advance(100);
    for (int64_t skew : {-3'600'000, 0, 3'600'000}) {
        RunReport report;
        report.started_ms = leased + 10 + skew;
        report.ended_ms = leased + 90 + skew;
        rig.tracer.ended({job, {}, leased, report, Move::succeed, "", "w"});
        auto spans = rig.tracer.take(2);
        REQUIRE(spans.size() == 2);
        const Span &wait = spans[0], &run = spans[1];
        CHECK(wait.start_us == job.created_ms * 1000);
        CHECK(wait.end_us == run.start_us);
        CHECK(run.start_us >= leased * 1000);
        CHECK(run.end_us >= run.start_us);
        CHECK(run.end_us / 1000 <= rig.reactor.wall_ms());
        if (skew == 0) CHECK(run.end_us - run.start_us == 80'000);
    }
    RunReport never_began;
    never_began.outcome = Outcome::released;
    rig.tracer.ended({job, {}, leased, never_began, Move::release, "", "w"});
    CHECK(rig.tracer.waiting() == 0);
}

TEST_CASE("what jobs say of themselves can't break the JSON") {
    Rig rig;
    Job job;
    job.jid = "a\"\\\n\x01" + std::string("\xff\xfe") + "ü";
    job.type = std::string("\xed\xa0\x80", 3);
    job.created_ms = rig.reactor.wall_ms();
    RunReport report;
    report.outcome = Outcome::failure;
    report.started_ms = report.ended_ms = job.created_ms;
    report.message = std::string(100'000, '"') + '\0';
    report.error_type = "\x7f\xc3";
    report.backtrace.assign(1'000, std::string(3'000, '\\'));
    rig.tracer.ended({job, {}, job.created_ms, report, Move::retry, "", "w\t"});
    rig.reactor.advance(5'000);  // decode_otlp() reads it
    CHECK(rig.collector.sizes == std::vector<size_t>{2});
}
