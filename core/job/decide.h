// decide(): the one place that says what becomes of a job after an attempt. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/rng.h"
#include "core/job/job.h"
#include "core/job/retry.h"

namespace jobq {

// What the configuration says of a job type; every field absent for a type without a section.
struct TypePolicy {
    std::optional<int> max_attempts;
    std::optional<Backoff> backoff;  // absent: Faktory's curve
    int64_t timeout_ms = limits::kDefaultTimeoutMs;
    int64_t retention_ms = limits::kRetentionMs;

    bool operator==(const TypePolicy&) const = default;
};

// The error type of an attempt that never was a process.
inline constexpr const char* kNotStarted = "not started";

// What the one who ran the job says about the attempt.
struct RunReport {
    Outcome outcome = Outcome::success;
    std::string error_type, message;
    std::vector<std::string> backtrace;
    std::optional<int> exit_code;
    std::optional<int> signal;
    std::optional<int64_t> snooze_ms;      // with Outcome::snooze
    int64_t retry_after_ms = 0;            // of a failure: a retry not sooner than that
    int64_t apart_ms = 0;                  // with Outcome::crash: when it may run again
    int64_t started_ms = 0, ended_ms = 0;  // wall clock
    int64_t started_us = 0, ended_us = 0;  // the same, finer; 0 where it is not known
    std::string worker;
    std::string result;  // bytes
    bool result_is_json = false;
    std::string log;  // stderr of the handler, capped
    LeftOut result_cut{}, log_cut{};
    std::string order{};  // of both, in time: see write_order()
    int64_t user_cpu_ms = 0, system_cpu_ms = 0, max_rss_kib = 0;

    bool operator==(const RunReport&) const = default;
};

enum class Move : uint8_t { succeed, retry, dead, drop, cancel, release, snooze };

struct MoveInfo {
    std::string_view event;  // as `jobq events` names it
    std::string_view state;  // where the job is after it, as webhooks and traces name it
};

// One row for each Move, in their order.
inline constexpr std::array<MoveInfo, 7> kMoves{{{"finished", "succeeded"},
                                                 {"retry", "retrying"},
                                                 {"dead", "dead"},
                                                 {"dropped", "dropped"},
                                                 {"cancelled", "cancelled"},
                                                 {"released", "ready"},
                                                 {"snoozed", "scheduled"}}};

constexpr const MoveInfo& info(Move move) {
    return kMoves[size_t(move)];
}

struct Transition {
    Move move = Move::succeed;
    int64_t at_ms = 0;  // retry, snooze: when it is due (wall clock)
    JobRecord record;   // as it is to be stored; for succeed and cancel only `attempts` counts
};

// Requires: `record` is the one the attempt was fetched with. `now_ms` is the wall clock.
Transition decide(const Job& job, const JobRecord& record, const RunReport& report,
                  const TypePolicy& policy, int64_t now_ms, Rng& rng);

// Of a report that names a worker but no attempt (Faktory's ACK and FAIL): true when the last
// attempt of that worker is over already and another worker holds the job now. It is that attempt's
// report, late, or sent again because its answer was lost. Names may be empty: not known.
bool is_of_earlier_attempt(const JobRecord& record, const std::string& holder,
                           const std::string& reporter);

// The same job as a person's `retry` leaves it: errors kept, attempts and crashes at zero.
JobRecord revived(JobRecord record, int64_t now_ms);
// Of a job whose stored form is damaged, as `why` says: dead without having run.
JobRecord buried(JobRecord record, const std::string& why, int64_t now_ms);
// Of a job that may not be started: dead, rejected.
JobRecord unstarted(JobRecord record, std::string_view error_type, const std::string& why,
                    int64_t now_ms);

}  // namespace jobq
