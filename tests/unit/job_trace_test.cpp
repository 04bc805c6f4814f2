// core/job/job_trace: ids of spans come from the job alone, and traces are kept by their id.
#include "core/job/job_trace.h"

#include <catch2/catch.hpp>
#include <set>

using namespace jobq;

namespace {

Job a_job(std::string jid = "12345678", int64_t created_ms = 1'795'305'600'000) {
    Job job;
    job.jid = std::move(jid);
    job.type = "email";
    job.created_ms = created_ms;
    return job;
}

}  // namespace

TEST_CASE("trace of a job: ids are the same in every process, and differ where they must") {
    Job job = a_job();
    CHECK(span_id_of(job, JobSpan::run, 1, 5) == span_id_of(head_of(job), JobSpan::run, 1, 5));
    CHECK(own_trace(job) == own_trace(head_of(job)));
    std::set<SpanId> spans{
        span_id_of(job, JobSpan::enqueue),
        span_id_of(job, JobSpan::wait, 1, 5),
        span_id_of(job, JobSpan::run, 1, 5),
        span_id_of(job, JobSpan::run, 2, 5),  // the next attempt
        span_id_of(job, JobSpan::run, 1, 6),  // handed back, and given out again
        span_id_of(a_job("12345679"), JobSpan::enqueue),
        span_id_of(a_job("12345678", 1), JobSpan::enqueue),  // the jid was used again
    };
    CHECK(spans.size() == 7);
    std::set<TraceId> traces{own_trace(job), own_trace(a_job("12345679")),
                             own_trace(a_job("12345678", 1))};
    CHECK(traces.size() == 3);
}

TEST_CASE("trace of a job: what it says itself is read, and an unreadable one is none") {
    Job job = a_job();
    CHECK_FALSE(given_trace(job));
    job.traceparent = "00-1-2-01";  // of a version that did not look
    CHECK_FALSE(given_trace(job));
    job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    REQUIRE(given_trace(job));
    CHECK(format_traceparent(*given_trace(job)) == job.traceparent);
}

TEST_CASE(
    "sample_ratio: none at 0, all at 1, and those of a small ratio are among those of a large") {
    int kept_tenth = 0, kept_half = 0;
    for (int i = 0; i < 10'000; ++i) {
        TraceId trace = own_trace(a_job("job-" + std::to_string(i)));
        REQUIRE_FALSE(keeps_trace(trace, 0));
        REQUIRE(keeps_trace(trace, 1));
        const bool tenth = keeps_trace(trace, 0.1), half = keeps_trace(trace, 0.5);
        REQUIRE((!tenth || half));
        kept_tenth += tenth;
        kept_half += half;
    }
    CHECK(kept_tenth == Approx(1'000).margin(150));
    CHECK(kept_half == Approx(5'000).margin(250));
    TraceId highest;
    highest.fill(0xff);
    CHECK(keeps_trace(highest, 1));
}
