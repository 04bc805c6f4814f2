// The judge of a chaos run: from what clients saw, what jobs wrote down themselves, the faults that
// were made and what is in the store at the end, to findings and a verdict. Pure; no clock, no
// file.
//
// All times are microseconds of CLOCK_MONOTONIC, the one clock that everything on a machine shares.
// A run that was not drained is never a pass, nor is one in which nothing happened.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace jobq::chaos {

// What a client was told. fail: it certainly did not happen; info: nobody knows.
enum class Outcome : uint8_t { ok, fail, info };

struct Call {
    enum class Kind : uint8_t {
        enqueue,
        finish,  // a worker reports the end of an attempt under `token`
        result,  // `text` is the result that was read
        cancel,
    };
    Kind kind = Kind::enqueue;
    Outcome outcome = Outcome::ok;
    std::string jid;
    int64_t invoked_us = 0, returned_us = 0;
    std::string token;
    std::string text;
};

// A job as a client meant it.
struct JobSpec {
    int64_t run_at_us = 0;  // 0: at once
    int max_attempts = 25;
    std::string checksum;  // of the payload; "" is not compared
    bool poison = false;   // it kills who runs it
    std::string key;       // its idempotency key
};

// One line of the witness log. `alive` marks come while a job runs; `told` and `stale` after its
// end, from a holder that writes down how its report was answered: accepted, or LEASE_LOST.
struct Mark {
    enum class Kind : uint8_t { start, alive, end_ok, end_fail, told, stale };
    Kind kind = Kind::start;
    std::string jid;
    int attempt = 0;
    std::string token;
    int64_t at_us = 0;
    int pid = 0;
    std::string holder;  // who holds the lease: the pid of the runner, the id of a worker
    std::string checksum;
};

struct Fault {
    enum class Kind : uint8_t {
        kill,     // of a holder, or of one job's process; at `at_us`
        pause,    // of a holder, from `at_us` to `until_us`
        cut,      // holders can't renew their leases meanwhile
        trouble,  // excuses nothing; only moves the time of healing
    };
    Kind kind = Kind::kill;
    int64_t at_us = 0, until_us = 0;
    std::string holder;  // "": every holder
    int pid = 0;         // != 0: only this job's process
};

// The clock of the daemon was set: it reads this much more than the true one from then on.
struct ClockShift {
    int64_t at_us = 0, offset_us = 0;
};

// The lease of one job, when a worker knows it.
struct LeaseEnd {
    std::string jid, token;
    int64_t end_us = 0;
};

struct Stored {
    std::string api_state;            // as STATUS says: "succeeded", "dead", ...; "" unknown to it
    std::vector<std::string> places;  // as a scan of Redis says: the same words
};

struct Bounds {
    int64_t lease_us = 15'000'000;
    int64_t lease_slack_us = 1'000'000;   // until a job whose lease ended must be gone
    int64_t report_slack_us = 1'000'000;  // an end and the death of its holder so near: not told
    int64_t born_slack_us = 100'000;      // from the fork of a job to its first line
    int64_t late_us = 0;                  // 0: lateness is not judged
    int64_t again_us = 0;                 // a run after a kill of its holder; 0: not judged
    int crashes = 3;                      // then a job is poison
};

struct Evidence {
    std::map<std::string, JobSpec> jobs;  // all that anyone tried to enqueue
    std::vector<Call> calls;
    std::vector<Mark> marks;
    std::vector<Fault> faults;
    std::vector<ClockShift> clock;
    std::vector<LeaseEnd> leases;
    std::map<std::string, Stored> store;
    int64_t unanswered_fetches = 0;
    std::set<std::string> tellers;  // holders that write `told` and `stale`
    bool drained = false;
    int64_t healed_us = 0;  // when the last fault was over
    Bounds bounds;
};

enum class FindingKind : uint8_t {
    lost,
    unexpected,
    damaged,
    duplicate,
    overlap,
    out_of_lease,
    early,
    late,
    stale_accepted,
    result_changed,
    two_places,
    dishonest_failed,
    poison_over,
    // What scenarios see themselves, past the judge.
    survivor,    // a process or a zombie of a job that is over
    ended,       // jobqd ended, and was not to
    told_wrong,  // what it said is not what it must say
    // Of a soak, beside what is judged here.
    growth,
    left_over,
    ill,
};

std::string_view to_string(FindingKind kind);

struct Finding {
    FindingKind kind;
    std::string jid;
    std::string text;
};

enum class Verdict : uint8_t { pass, fail, unknown };

std::string_view to_string(Verdict verdict);

struct Report {
    Verdict verdict = Verdict::unknown;
    std::vector<Finding> findings;
    std::string unproven;  // why nothing can be concluded
    int64_t attempted = 0, acknowledged = 0, refused = 0, unanswered = 0;
    int64_t recovered = 0;  // unanswered, but it is there
    int64_t started = 0;    // runs
    int64_t extra = 0;      // runs of a job beyond its first
    int64_t excused = 0;    // runs beyond the first that the bound allows
    std::map<std::string, int64_t> states;
    std::map<std::string, double> figures;  // what a scenario measured, each with its unit
    std::map<std::string, int64_t> faults;  // by kind; the rig counts them
    // Of the processes of a soak, see vitals.h.
    std::map<std::string, std::map<std::string, int64_t>> measured;

    bool has(FindingKind kind) const;
};

Report judge(const Evidence& evidence);

}  // namespace jobq::chaos
