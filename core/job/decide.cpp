#include "core/job/decide.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq {
namespace {

// How many runs the job may have in all, and whether the last failure drops it (Faktory's retry 0).
struct Budget {
    int runs;
    bool drop_at_end;
};

Budget budget_of(const Job& job, const TypePolicy& policy) {
    if (job.max_attempts) return {*job.max_attempts, false};
    if (job.retry) return {*job.retry < 0 ? 1 : *job.retry + 1, *job.retry == 0};
    if (policy.max_attempts) return {*policy.max_attempts, false};
    return {limits::kDefaultRetries + 1, false};
}

Attempt attempt_of(const RunReport& report, int number) {
    Attempt attempt;
    attempt.number = number;
    attempt.outcome = report.outcome;
    attempt.started_ms = report.started_ms;
    attempt.ended_ms = report.ended_ms;
    attempt.error_type = utf8_prefix(trim(report.error_type), limits::kErrorTypeBytes);
    attempt.message = utf8_prefix(trim(report.message), limits::kErrorMessageBytes);
    if (attempt.error_type.empty()) attempt.error_type = "unknown";
    if (attempt.message.empty()) attempt.message = "unknown";
    size_t lines = std::min<size_t>(report.backtrace.size(), limits::kBacktraceLines);
    for (size_t i = 0; i < lines; ++i)
        attempt.backtrace.emplace_back(
            utf8_prefix(report.backtrace[i], limits::kErrorMessageBytes));
    attempt.exit_code = report.exit_code;
    attempt.signal = report.signal;
    attempt.worker = report.worker;
    return attempt;
}

// Keeps the first error and the latest ones: the cause, and what it is like now.
void keep(std::vector<Attempt>& errors, Attempt attempt) {
    if (errors.size() >= size_t(limits::kErrorsKept)) errors.erase(errors.begin() + 1);
    errors.push_back(std::move(attempt));
}

Transition give_up(JobRecord record, std::string reason) {
    record.reason = std::move(reason);
    record.next_at_ms = 0;
    return {Move::dead, 0, std::move(record)};
}

}  // namespace

Transition decide(const Job& job, const JobRecord& record, const RunReport& report,
                  const TypePolicy& policy, int64_t now_ms, Rng& rng) {
    JobRecord next = record;
    switch (report.outcome) {
        case Outcome::released:
            return {Move::release, 0, std::move(next)};
        case Outcome::snooze:
            next.next_at_ms = later_ms(now_ms, std::max<int64_t>(0, report.snooze_ms.value_or(0)));
            return {Move::snooze, next.next_at_ms, std::move(next)};
        case Outcome::success:
            ++next.attempts;
            return {Move::succeed, 0, std::move(next)};
        case Outcome::cancelled:
            ++next.attempts;
            return {Move::cancel, 0, std::move(next)};
        default:
            break;
    }

    ++next.attempts;
    if (next.first_failed_ms == 0) next.first_failed_ms = now_ms;
    keep(next.errors, attempt_of(report, next.attempts));
    if (report.outcome == Outcome::dead) return give_up(std::move(next), "rejected");
    if (report.outcome == Outcome::crash) {
        // Without an exit status or a signal of the job's own it was the worker that died. That
        // counts against the crash budget, not against the attempts the job may have.
        if (!report.signal && !report.exit_code) ++next.lost;
        const int budget = limits::kCrashBudget + (JOBQ_FAILPOINT(poison_immortal) ? 3 : 0);
        if (++next.crashes >= budget) return give_up(std::move(next), "poison");
    }

    Budget budget = budget_of(job, policy);
    if (JOBQ_FAILPOINT(retry_unbounded)) ++budget.runs;
    if (next.attempts - next.lost >= budget.runs) {
        if (budget.drop_at_end) return {Move::drop, 0, std::move(next)};
        return give_up(std::move(next), "exhausted");
    }
    bool own_curve = policy.backoff && !job.retry;
    int64_t delay = own_curve ? backoff_delay_ms(*policy.backoff, next.attempts, rng)
                              : faktory_delay_ms(next.attempts, rng);
    delay = std::max(delay, report.retry_after_ms);
    // A crash says nothing of the job's own readiness: it runs again at once, its budget is small.
    if (report.outcome == Outcome::crash) delay = report.apart_ms;
    next.next_at_ms = later_ms(now_ms, delay);
    return {Move::retry, next.next_at_ms, std::move(next)};
}

bool is_of_earlier_attempt(const JobRecord& record, const std::string& holder,
                           const std::string& reporter) {
    if (reporter.empty() || holder.empty() || holder == reporter) return false;
    return !record.errors.empty() && record.errors.back().worker == reporter;
}

JobRecord revived(JobRecord record, int64_t now_ms) {
    record.attempts = 0;
    record.crashes = 0;
    record.lost = 0;
    record.next_at_ms = 0;
    record.ready_ms = now_ms;
    record.reason.clear();
    return record;
}

JobRecord buried(JobRecord record, const std::string& why, int64_t now_ms) {
    record = unstarted(std::move(record), "Damaged", why, now_ms);
    record.reason = "corrupt";
    return record;
}

JobRecord unstarted(JobRecord record, std::string_view error_type, const std::string& why,
                    int64_t now_ms) {
    Attempt attempt;
    attempt.number = current_attempt(record);
    attempt.outcome = Outcome::dead;
    attempt.ended_ms = now_ms;
    attempt.error_type = error_type;
    attempt.message = utf8_prefix(to_utf8(why), limits::kErrorMessageBytes);
    keep(record.errors, std::move(attempt));
    record.reason = "rejected";
    record.next_at_ms = 0;
    return record;
}

}  // namespace jobq
