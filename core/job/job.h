// Job: what was enqueued. JobRecord: what has happened to it since. Attempt: one failed run.
//
// The envelope (Job) never changes after enqueue; `args` are the bytes that came. The record exists
// only for jobs that failed, were retried or are dead; a job that succeeds at once never has one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/job/durability.h"
#include "core/job/kept_output.h"
#include "core/job/state.h"
#include "core/job/ties.h"

namespace jobq {

// What a jid means that a job which is over had before. One that is not over is never stored again.
enum class Reuse : uint8_t {
    plain,  // the job runs again, but for a repeat within limits::kRepeatMs of its end
    never,  // it is that job, for as long as its record is kept
    again,  // the job runs again
};

struct Job {
    std::string jid;
    std::string type;
    std::string queue = "default";
    int priority = limits::kPriorityNormal;
    std::string args;          // JSON text of an array, verbatim
    int64_t created_ms = 0;    // wall clock
    int64_t run_at_ms = 0;     // wall clock; 0: now
    std::optional<int> retry;  // Faktory's: n retries, 0 drop on failure, negative dead at once
    std::optional<int> max_attempts;  // jobq's: dead after so many; wins over retry
    std::optional<int64_t> timeout_ms;
    int64_t reserve_for_s = 0;  // Faktory's lease; 0: its default
    int64_t backtrace = 0;      // Faktory's, kept and given back
    int64_t expires_ms = 0;     // wall clock; not started later than this; 0: never
    std::string at;             // Faktory's `at` and `created_at` as given, "" when absent
    std::string created_at;
    std::string custom;  // JSON text of an object, or ""
    std::string tags;    // JSON text of an array of strings, or ""
    std::string idempotency_key;
    std::string traceparent;
    std::string webhook;  // URL that is told of its end, or ""
    // Said at enqueue, not part of the envelope: null in a job that was read. Null: none.
    std::shared_ptr<const Ties> ties;
    // Likewise: the least that the store must give it, or it is refused.
    std::optional<Durability> durability;
    Reuse reuse = Reuse::plain;
    // Its jid may have been used: those that are over are looked through.
    bool may_be_known = false;

    bool operator==(const Job&) const = default;
};

// One attempt that did not succeed, as kept with the job.
struct Attempt {
    int number = 0;  // 1-based
    Outcome outcome = Outcome::failure;
    int64_t started_ms = 0;  // wall clock; 0 when not known
    int64_t ended_ms = 0;
    std::string error_type;
    std::string message;
    std::vector<std::string> backtrace;
    std::optional<int> exit_code;
    std::optional<int> signal;
    std::string worker;

    bool operator==(const Attempt&) const = default;
};

struct JobRecord {
    int attempts = 0;  // attempts spent
    int crashes = 0;   // of them, crashes
    int lost = 0;      // of those, not the job's doing as far as known: its worker died
    int64_t first_failed_ms = 0;
    int64_t next_at_ms = 0;       // of the retry; 0 when none is planned
    int64_t ready_ms = 0;         // when it last became ready, 0: at enqueue or run_at
    std::string reason;           // why it is dead: exhausted, poison, rejected, corrupt, killed
    std::vector<Attempt> errors;  // the first and the latest, limits::kErrorsKept in all
    std::string failure;  // Faktory's failure object a client sent with PUSH, JSON text or ""

    bool operator==(const JobRecord&) const = default;
};

// What is left of a job that is over. Kept for its type's retention.
struct FinalRecord {
    State state = State::succeeded;
    std::string type, queue, worker;
    int64_t created_ms = 0, started_ms = 0, finished_ms = 0;  // wall clock
    int attempts = 0;
    std::optional<int> exit_code;
    std::optional<int> signal;
    int64_t user_cpu_ms = 0, system_cpu_ms = 0, max_rss_kib = 0;
    std::string tags;    // JSON array text or ""
    std::string result;  // bytes; JSON when result_is_json
    // Text without a part in its middle; JSON that is too long to keep is left out whole.
    LeftOut result_cut{};
    bool result_is_json = false;
    uint32_t content = 0;  // content_of() the job; 0: not known

    bool operator==(const FinalRecord&) const = default;
};

// What jobqd itself enqueues and runs; nobody else may use such a type or queue.
inline constexpr std::string_view kReservedPrefix = "jobq.";
// The type whose payload names a program: whoever enqueues it runs what he likes as our user.
inline constexpr std::string_view kCommandType = "run";
inline constexpr const char* kWebhookType = "jobq.webhook";
inline constexpr const char* kWebhookQueue = "jobq.webhooks";

// A name that may be a type, queue, pool or tag.
bool is_name(std::string_view text);
// Checks every field but args against limits.h; args were checked when they were parsed.
Result<> validate(const Job& job);

// The attempt that runs, or would run next.
inline int current_attempt(const JobRecord& record) {
    return record.attempts + 1;
}

// Whether two jobs ask for the same work: all that a client chose but times and limits.
bool same_work(const Job& a, const Job& b);
// A checksum of that, never 0.
uint32_t content_of(const Job& job);

// The job without what only its handler needs: args and custom stay empty.
Job head_of(const Job& job);

// When it was last put into its queue; 0: not yet. A time that lies ahead is a plan.
int64_t enqueued_ms(const Job& job, const JobRecord& record, int64_t now_ms);

// What a handler sees: the single argument itself when there is exactly one, else the array.
std::string_view handler_payload(const Job& job);

}  // namespace jobq
