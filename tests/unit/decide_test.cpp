// core/job/decide and retry: what becomes of a job after each outcome, under each form of budget.
#include "core/job/decide.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/base/time.h"
#include "tests/support/builders.h"

using namespace jobq;

namespace {

constexpr int64_t kNow = 1'795'305'600'000;

RunReport report_of(Outcome outcome) {
    RunReport report;
    report.outcome = outcome;
    report.error_type = "Boom";
    report.message = "it broke";
    report.started_ms = kNow - 100;
    report.ended_ms = kNow;
    report.worker = "pool1";
    if (outcome == Outcome::snooze) report.snooze_ms = 5'000;
    if (outcome == Outcome::crash) report.signal = 11;
    return report;
}

Transition decide_at(const Job& job, const JobRecord& record, Outcome outcome,
                     const TypePolicy& policy = {}) {
    Rng rng(1);
    return decide(job, record, report_of(outcome), policy, kNow, rng);
}

// The ways to say how often a job may run, and what they come to.
struct Budget {
    const char* name;
    std::optional<int> max_attempts, retry, policy_attempts;
    int runs;      // that may fail before it is over
    bool dropped;  // at the end, instead of dead
};

const Budget kBudgets[] = {
    {"nothing said", {}, {}, {}, 26, false},
    {"max_attempts 1", 1, {}, {}, 1, false},
    {"max_attempts 3", 3, {}, {}, 3, false},
    {"max_attempts wins over retry", 2, 9, 7, 2, false},
    {"retry 0 drops", {}, 0, {}, 1, true},
    {"retry 0 wins over the type", {}, 0, 5, 1, true},
    {"retry -1 is dead at once", {}, -1, {}, 1, false},
    {"retry -7 is dead at once", {}, -7, {}, 1, false},
    {"retry 4", {}, 4, {}, 5, false},
    {"the type's max_attempts", {}, {}, 4, 4, false},
};

}  // namespace

TEST_CASE("each outcome leads to its move under each budget, on the first and the last attempt") {
    for (const Budget& budget : kBudgets) {
        for (int attempt : {1, budget.runs}) {
            INFO(budget.name << ", attempt " << attempt);
            Job job = test::a_job("email");
            job.max_attempts = budget.max_attempts;
            job.retry = budget.retry;
            TypePolicy policy;
            policy.max_attempts = budget.policy_attempts;
            JobRecord record;
            record.attempts = attempt - 1;
            auto move = [&](Outcome outcome) {
                return decide_at(job, record, outcome, policy).move;
            };
            bool last = attempt == budget.runs;
            Move failed = !last ? Move::retry : budget.dropped ? Move::drop : Move::dead;
            CHECK(move(Outcome::success) == Move::succeed);
            CHECK(move(Outcome::failure) == failed);
            CHECK(move(Outcome::timeout) == failed);
            CHECK(move(Outcome::crash) == failed);
            CHECK(move(Outcome::dead) == Move::dead);
            CHECK(move(Outcome::cancelled) == Move::cancel);
            CHECK(move(Outcome::released) == Move::release);
            CHECK(move(Outcome::snooze) == Move::snooze);
        }
    }
}

TEST_CASE("success and failure spend an attempt, release and snooze spend none") {
    JobRecord record;
    record.attempts = 2;
    for (Outcome outcome : {Outcome::success, Outcome::failure, Outcome::timeout, Outcome::crash,
                            Outcome::dead, Outcome::cancelled}) {
        INFO(name(outcome));
        CHECK(decide_at(test::a_job("email"), record, outcome).record.attempts == 3);
    }
    for (Outcome outcome : {Outcome::released, Outcome::snooze})
        CHECK(decide_at(test::a_job("email"), record, outcome).record.attempts == 2);
}

TEST_CASE("a failure is kept with all that was reported") {
    Job job = test::a_job("email");
    RunReport report = report_of(Outcome::failure);
    report.exit_code = 7;
    report.backtrace = {"line 1", "line 2"};
    Rng rng(1);
    auto next = decide(job, {}, report, {}, kNow, rng);
    REQUIRE(next.record.errors.size() == 1);
    const Attempt& error = next.record.errors[0];
    CHECK(error.number == 1);
    CHECK(error.outcome == Outcome::failure);
    CHECK(error.error_type == "Boom");
    CHECK(error.message == "it broke");
    CHECK(error.exit_code == 7);
    CHECK(error.backtrace == report.backtrace);
    CHECK(error.worker == "pool1");
    CHECK(error.started_ms == kNow - 100);
    CHECK(next.record.first_failed_ms == kNow);
    CHECK(next.at_ms == next.record.next_at_ms);
    CHECK(next.at_ms > kNow);
}

TEST_CASE("an error that says nothing is unknown, one that says too much is cut") {
    Rng rng(1);
    RunReport report;
    report.outcome = Outcome::failure;
    report.message = "  ";
    auto error = decide(test::a_job("email"), {}, report, {}, kNow, rng).record.errors[0];
    CHECK(error.error_type == "unknown");
    CHECK(error.message == "unknown");

    report.error_type = std::string(500, 't');
    report.message = std::string(5000, 'm');
    report.backtrace = std::vector<std::string>(500, std::string(5000, 'b'));
    error = decide(test::a_job("email"), {}, report, {}, kNow, rng).record.errors[0];
    CHECK(error.error_type.size() == limits::kErrorTypeBytes);
    CHECK(error.message.size() == limits::kErrorMessageBytes);
    CHECK(error.backtrace.size() == size_t(limits::kBacktraceLines));
    CHECK(error.backtrace[0].size() == limits::kErrorMessageBytes);
}

TEST_CASE("of many errors the first and the latest are kept") {
    Job job = test::a_job("email");
    job.max_attempts = 1000;
    JobRecord record;
    for (int i = 0; i < 200; ++i)
        record = decide_at(job, record, Outcome::failure).record;
    REQUIRE(record.errors.size() == size_t(limits::kErrorsKept));
    CHECK(record.errors[0].number == 1);
    CHECK(record.errors[1].number == 200 - limits::kErrorsKept + 2);
    CHECK(record.errors.back().number == 200);
}

TEST_CASE("the third crash is poison, whatever the budget, before it the job runs again at once") {
    Job job = test::a_job("email");
    job.max_attempts = 100;
    JobRecord record;
    for (int crash = 1; crash < limits::kCrashBudget; ++crash) {
        auto next = decide_at(job, record, Outcome::crash);
        CHECK(next.move == Move::retry);
        CHECK(next.at_ms == kNow);
        CHECK(next.record.crashes == crash);
        record = decide_at(job, next.record, Outcome::failure).record;  // failures do not count
    }
    auto last = decide_at(job, record, Outcome::crash);
    CHECK(last.move == Move::dead);
    CHECK(last.record.reason == "poison");
}

TEST_CASE("the death of a worker spends the crash budget of its job, not its attempts") {
    Job job = test::a_job("email");
    job.max_attempts = 1;
    RunReport lost = report_of(Outcome::crash);
    lost.signal.reset();
    Rng rng(1);
    JobRecord record;
    for (int crash = 1; crash < limits::kCrashBudget; ++crash) {
        auto next = decide(job, record, lost, {}, kNow, rng);
        CHECK(next.move == Move::retry);
        CHECK(next.record.lost == crash);
        record = next.record;
    }
    CHECK(decide_at(job, record, Outcome::failure).move == Move::dead);
    CHECK(decide_at(job, record, Outcome::success).move == Move::succeed);
    CHECK(decide(job, record, lost, {}, kNow, rng).record.reason == "poison");
    lost.apart_ms = 4'000;
    CHECK(decide(job, {}, lost, {}, kNow, rng).at_ms == kNow + 4'000);
}

TEST_CASE("a dead job says why") {
    Job job = test::a_job("email");
    job.max_attempts = 1;
    CHECK(decide_at(job, {}, Outcome::failure).record.reason == "exhausted");
    CHECK(decide_at(job, {}, Outcome::dead).record.reason == "rejected");
    CHECK(decide_at(job, {}, Outcome::failure).record.next_at_ms == 0);
}

TEST_CASE("a snoozed job comes back when it asked to, never in the past") {
    CHECK(decide_at(test::a_job("email"), {}, Outcome::snooze).at_ms == kNow + 5'000);
    RunReport report = report_of(Outcome::snooze);
    Rng rng(1);
    report.snooze_ms = -10;
    CHECK(decide(test::a_job("email"), {}, report, {}, kNow, rng).at_ms == kNow);
    report.snooze_ms.reset();
    CHECK(decide(test::a_job("email"), {}, report, {}, kNow, rng).at_ms == kNow);
}

TEST_CASE("a type's back-off holds for its jobs, Faktory's curve for those that set retry") {
    TypePolicy policy;
    policy.backoff = Backoff{100, 2.0, 1'000, 0.0};
    Job job = test::a_job("email");
    JobRecord record;
    record.attempts = 2;
    CHECK(decide_at(job, record, Outcome::failure, policy).at_ms == kNow + 400);
    job.retry = 10;
    CHECK(decide_at(job, record, Outcome::failure, policy).at_ms >= kNow + 31'000);
    CHECK(decide_at(test::a_job("email"), record, Outcome::failure).at_ms >= kNow + 31'000);
}

TEST_CASE("back-off grows by its factor up to its cap, and spreads by its jitter") {
    Rng rng(5);
    Backoff exact{2'000, 3.0, 60'000, 0.0};
    CHECK(backoff_delay_ms(exact, 1, rng) == 2'000);
    CHECK(backoff_delay_ms(exact, 2, rng) == 6'000);
    CHECK(backoff_delay_ms(exact, 3, rng) == 18'000);
    CHECK(backoff_delay_ms(exact, 5, rng) == 60'000);
    CHECK(backoff_delay_ms(exact, 100'000, rng) == 60'000);  // no overflow
    CHECK(backoff_delay_ms(exact, 0, rng) == 2'000);

    Backoff spread{10'000, 2.0, 60'000, 0.5};
    int64_t low = INT64_MAX, high = 0;
    for (int i = 0; i < 5000; ++i) {
        int64_t delay = backoff_delay_ms(spread, 1, rng);
        low = std::min(low, delay);
        high = std::max(high, delay);
    }
    CHECK(low >= 5'000);
    CHECK(low < 5'100);
    CHECK(high <= 15'000);
    CHECK(high > 14'900);
}

TEST_CASE("Faktory's curve is count^4 + 15 + a spread that grows") {
    Rng rng(6);
    for (int failures = 1; failures <= 25; ++failures) {
        int64_t count = failures - 1;
        for (int i = 0; i < 200; ++i) {
            int64_t seconds = faktory_delay_ms(failures, rng) / 1000;
            REQUIRE(seconds >= count * count * count * count + 15);
            REQUIRE(seconds <= count * count * count * count + 15 + 29 * (count + 1));
        }
    }
}

TEST_CASE("a revived job starts anew and keeps its errors") {
    JobRecord record;
    record.attempts = 5;
    record.crashes = 2;
    record.next_at_ms = 9;
    record.reason = "exhausted";
    record.errors.emplace_back().message = "old";
    JobRecord next = revived(record, kNow);
    CHECK(next.attempts == 0);
    CHECK(next.crashes == 0);
    CHECK(next.next_at_ms == 0);
    CHECK(next.ready_ms == kNow);
    CHECK(next.reason.empty());
    CHECK(next.errors == record.errors);
}

TEST_CASE("a report without an attempt is of an earlier one when its worker's last run is over") {
    JobRecord record;
    CHECK_FALSE(is_of_earlier_attempt(record, "b", "a"));
    for (const char* worker : {"c", "a"})
        record.errors.emplace_back().worker = worker;
    CHECK(is_of_earlier_attempt(record, "b", "a"));
    CHECK_FALSE(is_of_earlier_attempt(record, "a", "a"));
    CHECK_FALSE(is_of_earlier_attempt(record, "b", "c"));
    CHECK_FALSE(is_of_earlier_attempt(record, "b", ""));
    CHECK_FALSE(is_of_earlier_attempt(record, "", "a"));
}

TEST_CASE("a snooze or a delay beyond all times ends at the last one") {
    CHECK(later_ms(5, 7) == 12);
    CHECK(later_ms(5, INT64_MAX) == limits::kTimeMaxMs);
    CHECK(later_ms(INT64_MAX, INT64_MAX) == limits::kTimeMaxMs);
    CHECK(later_ms(INT64_MIN, -1) == 0);
    CHECK(later_ms(limits::kTimeMaxMs, 1) == limits::kTimeMaxMs);
    Rng rng(1);
    RunReport report;
    report.outcome = Outcome::snooze;
    for (int64_t ms : {INT64_MAX, INT64_MAX - 1, limits::kTimeMaxMs}) {
        report.snooze_ms = ms;
        auto next = decide(Job{}, JobRecord{}, report, TypePolicy{}, 1'795'305'600'000, rng);
        CHECK(next.at_ms == limits::kTimeMaxMs);
    }
    report.snooze_ms = INT64_MIN;
    CHECK(decide(Job{}, JobRecord{}, report, TypePolicy{}, 1'000, rng).at_ms == 1'000);
    report.outcome = Outcome::failure;
    report.retry_after_ms = INT64_MAX;
    CHECK(decide(Job{}, JobRecord{}, report, TypePolicy{}, 1'000, rng).at_ms == limits::kTimeMaxMs);
    CHECK(faktory_delay_ms(INT32_MAX, rng) > 0);
}
