// Store: where jobs live. One coroutine per operation; each transition is one atomic step, each
// operation takes many jobs. RedisStore is the product; tests/support/memory_store is the model it
// is compared with.
//
// Invariants kept by every operation:
//   S3  a running job has exactly one owner and one current token
//   S8  a live jid is in exactly one place: one queue list, one of the sets scheduled, retrying and
//       dead, or one owner's running hash; and its envelope is stored
//   S5  a unique lock, a queue's slot and a batch's count end in the step that ends their job's
// Errors of a whole call: unavailable (not sent), unknown (sent, no answer: it may have happened),
// storage_full, internal. Errors of one job are in its own Result.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/job/cause.h"
#include "core/job/decide.h"
#include "core/job/imported.h"
#include "core/job/job.h"
#include "core/job/type_set.h"
#include "core/store/batch.h"
#include "core/store/checkup.h"

namespace jobq {

// What became of one job of an enqueue call; see known.h. Errors: duplicate (another job has its
// jid or its key), not_unique (another job holds its lock), not_found (there is no such batch).
struct Enqueued {
    enum class How : uint8_t {
        stored,    // new
        same,      // it is known already: a repeat of a call whose answer was lost
        existing,  // the idempotency key has a job already: `jid` is that one
    };
    How how = How::stored;
    std::string jid;
    State state = State::ready;  // now
    bool forgotten = false;      // existing, and its record is not kept any more: no state

    bool operator==(const Enqueued&) const = default;
};

// How many jobs of a queue may run at once; 0: any number.
struct Throttle {
    int in_all = 0;
    int per_worker = 0;

    bool operator==(const Throttle&) const = default;
};

struct FetchRequest {
    std::string owner;                // who holds what is fetched: one lease for all it holds
    std::vector<std::string> queues;  // in the order to be tried
    int count = 1;
    Types types;  // jobs of other types stay where they are, in their order
    // Of the leases; "" lets the store make one. Who chooses it can find, after an answer was lost,
    // what the call took.
    std::string token;
    // Of those queues that have limits, and whose slots their jobs take.
    std::map<std::string, Throttle> throttles;
    std::string worker;
};

// A job with the right to run it.
struct Leased {
    Job job;
    JobRecord record;
    std::string token;
    int64_t started_ms = 0;  // wall clock, of the fetch
    bool cancelled = false;  // take_over(): a cancel is on record for it
    // Its stored form is damaged, as `damage` says: of the job there is jid, and what else could be
    // told. It must not run: finish it with Move::dead.
    bool corrupt = false;
    std::string damage;
};

// A lease by name. Token "": the present one, whichever it is.
struct LeaseName {
    std::string jid, token;
};

// End of an attempt: what `decide` said, with what is to be kept of it. A job whose expires_ms has
// passed ends by Move::drop with final.state expired; any other drop leaves no record.
struct Finish {
    std::string owner, jid, token;
    Transition transition;
    FinalRecord final;  // succeed, cancel, drop and expire: the record that is left
    int64_t retention_ms = limits::kRetentionMs;  // of the final record and of the log
    std::string log;                              // of this attempt; "" keeps none
    int attempt = 0;                              // which one the log belongs to
    std::string queue;  // of the job: with its priority, where it waits again
    int priority = limits::kPriorityNormal;
    std::string type;  // of the job: with its last error it says what it is counted under
    // A job that is enqueued in the same step, when the end is accepted: news of it. Null: none.
    // Requires: ready at once, without ties, a jid that is new.
    std::shared_ptr<const Job> follow;
};

// The end of the attempt that `lease` began; what becomes of the job is the caller's to say.
inline Finish finish_of(const Leased& lease, const std::string& owner) {
    Finish finish;
    finish.owner = owner;
    finish.jid = lease.job.jid;
    finish.token = lease.token;
    finish.queue = lease.job.queue;
    finish.priority = lease.job.priority;
    finish.type = lease.job.type;
    finish.transition.record = lease.record;
    return finish;
}

// A set a waiting job can be in besides its queue.
enum class WaitingSet : uint8_t { scheduled, retrying, dead };

constexpr State state_of(WaitingSet set) {
    return set == WaitingSet::scheduled  ? State::scheduled
           : set == WaitingSet::retrying ? State::retrying
                                         : State::dead;
}

// All that is known of one job.
struct JobView {
    State state = State::ready;
    Job job;  // of a final one: only jid, type, queue, created_ms, tags
    JobRecord record;
    FinalRecord final;  // when is_final(state)
    int64_t at_ms = 0;  // scheduled, retrying: when due; dead: when it died
    std::string owner;  // running
    std::string token;
    int64_t started_ms = 0;
    bool cancel_asked = false;
    bool corrupt = false;
    int64_t args_bytes = 0;  // of the args, also of those that are cut: see ListRequest::heads
    std::string after;       // of one in a page: the cursor that goes on behind it
    std::string group;       // of a failed one in a page: what it is counted under; "": not yet
};

struct ListRequest {
    State state = State::ready;
    std::string queue;   // "" any; required for ready
    std::string cursor;  // "" from the start, else what the last page returned
    int limit = limits::kListPage;
    // Of jobs that are not over just the first kPreviewBytes of the args, and damage past the first
    // kHeadBytes of the stored form is not seen.
    bool heads = false;
    // "": any. With `heads`: only jobs whose stored form (args, tags, custom fields), or result,
    // holds these bytes.
    std::string text{};
    bool newest_first = false;  // of scheduled, retrying and dead; a cursor fits one order alone
};

// A walk from "" on meets each job that was there when it began and stays, once; of those that come
// meanwhile it may meet some, but none that is scheduled, retrying or dead by an attempt that ended
// since it began. A page may hold fewer than `limit`, even none, and still not be the last: go on
// while next != "".
struct ListPage {
    std::vector<JobView> jobs;
    std::string next;
    int64_t looked_at = 0;  // also those that are not what was asked for
};

struct QueueInfo {
    std::string name;
    int64_t size = 0;  // ready jobs
    bool paused = false;
    int64_t oldest_ms = 0;  // when the next job became ready (wall clock); 0: empty
    std::string next_type;  // of that job
};

// Which queues: those named, or a page of all, in the order of their names' bytes.
struct QueueRequest {
    std::vector<std::string> names{};
    std::string after{};  // "" from the start, else what the last page returned
    int limit = limits::kListPageMax;
    bool latency = false;  // with oldest_ms
};

struct QueuePage {
    std::vector<QueueInfo> queues;
    std::string next;   // "": that was all
    int64_t known = 0;  // how many there are in all
};

// Failed jobs of one cause.
struct FailedGroup {
    std::string id;  // Cause::fingerprint(), or "other": causes beyond limits::kFailedGroups
    Cause cause;
    int64_t dead = 0, retrying = 0;       // now
    int64_t since_ms = 0, latest_ms = 0;  // wall clock, of failures: the group's first and last
    std::string latest;                   // jid of the last one; it may have gone on

    bool operator==(const FailedGroup&) const = default;
};

struct FailedGroups {
    std::vector<FailedGroup> groups;  // by id
    bool all = true;  // false: jobs of a store of an older jobqd are still being counted
};

struct StoreStats {
    // Since the store was made, or the last flush.
    int64_t enqueued = 0, succeeded = 0, failed_attempts = 0, died = 0, cancelled = 0, expired = 0,
            dropped = 0, removed = 0, processed = 0;
    // Now.
    int64_t scheduled = 0, retrying = 0, dead = 0, ready = 0, running = 0, blocked = 0;

    bool operator==(const StoreStats&) const = default;
};

// How many jobs are in that state now. Those that are over are not counted: nothing.
constexpr std::optional<int64_t> count_of(const StoreStats& stats, State state) {
    switch (state) {
        case State::scheduled:
            return stats.scheduled;
        case State::blocked:
            return stats.blocked;
        case State::ready:
            return stats.ready;
        case State::running:
            return stats.running;
        case State::retrying:
            return stats.retrying;
        case State::dead:
            return stats.dead;
        default:
            return std::nullopt;
    }
}

struct OwnerInfo {
    std::string owner;
    int64_t beat = 0;  // counter raised by beat(); an observer times its changes
    int64_t running = 0;
};

struct Promoted {
    std::map<std::string, int> queues;  // how many became ready, by queue
    int64_t next_due_ms = 0;            // of what still waits; 0: nothing
    bool more = false;                  // the limit cut it: call again
};

struct Cancelled {
    State was = State::ready;  // running: it was marked, its worker is to be told
    std::string owner;         // of a running one
};

struct AttemptLog {
    int attempt = 0;
    std::string text;
};

class Store {
  public:
    virtual ~Store() = default;

    // One result per job, in order. Jobs with run_at_ms in the future become scheduled. A job's
    // idempotency_key, when set, is honoured for limits::kIdempotencyWindowMs. Requires:
    // validate().
    virtual task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) = 0;

    // Up to `count` jobs of the first queues that have any; paused queues are passed over. Leases
    // them to the owner. Jobs whose expires_ms has passed are returned too: the caller expires
    // them.
    virtual task<Result<std::vector<Leased>>> fetch(FetchRequest request) = 0;

    // Ends attempts. lease_lost: the token is not the current one, nothing changed. cancelled: the
    // transition was retry, snooze or release but a cancel is on record; nothing changed: finish
    // with Move::cancel.
    virtual task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) = 0;

    // Raises the beat of each owner.
    virtual task<Result<>> beat(std::vector<std::string> owners) = 0;
    virtual task<Result<std::vector<OwnerInfo>>> owners() = 0;
    // Moves what `from` holds, at most `limit` (or just `some`), to `to` with new tokens. Atomic:
    // from then on the old tokens are stale. Forgets `from` when nothing is left.
    virtual task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                        std::vector<LeaseName> some, int limit) = 0;

    // Due scheduled and retrying jobs become ready, oldest first.
    virtual task<Result<Promoted>> promote(int64_t now_ms, int limit) = 0;
    // Drops records, logs, keys and dead jobs whose time is over.
    virtual task<Result<>> purge(int64_t now_ms) = 0;

    // A waiting or dead job becomes cancelled; a running one is marked. not_found; conflict when
    // it is over.
    virtual task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) = 0;
    // Running jobs that are to stop, whoever runs them.
    virtual task<Result<std::vector<std::string>>> cancels() = 0;
    // dead, retrying, scheduled -> ready. `revive`: with its attempts at zero, and ready since now.
    // conflict otherwise.
    virtual task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                        bool revive) = 0;
    // Forgets jobs that wait, are dead or are over. conflict: it runs.
    virtual task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) = 0;
    // scheduled, retrying -> dead with reason "killed".
    virtual task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) = 0;

    // One entry per jid, in order; not_found for those unknown.
    virtual task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) = 0;
    virtual task<Result<ListPage>> list(ListRequest request) = 0;
    // The kept logs of a job's attempts, oldest first.
    virtual task<Result<std::vector<AttemptLog>>> logs(std::string jid) = 0;
    virtual task<Result<StoreStats>> stats() = 0;
    // Those of the named that are known, or a page of all.
    virtual task<Result<QueuePage>> queue_page(QueueRequest request) = 0;
    // All known queues, by name: as many pages as it takes.
    task<Result<std::vector<QueueInfo>>> queues(bool latency);
    // Jobs that are dead or retrying, by what they failed of. Exact.
    virtual task<Result<FailedGroups>> failed_groups() = 0;
    // Counts some failed jobs that were stored by a jobqd that did not. True: there may be more.
    virtual task<Result<bool>> count_failed() = 0;
    // Unknown queues are created by pause, skipped by resume.
    virtual task<Result<>> pause(std::vector<std::string> queues, bool paused) = 0;
    // Removes the jobs that were ready when it was called, and with `forget` the queue itself.
    // Returns how many.
    virtual task<Result<int64_t>> clear(std::string queue, bool forget) = 0;
    // not_found: no such parent. Requires: a bid that was never used.
    virtual task<Result<>> make_batch(BatchSpec spec) = 0;
    // Closes a batch, so that its callbacks may be enqueued, or opens it again. not_found.
    virtual task<Result<>> open_batch(std::string bid, bool open) = 0;
    virtual task<Result<BatchView>> batch(std::string bid) = 0;
    // False when the job is not tracked: nothing is noted then.
    virtual task<Result<bool>> track(ProgressUpdate update) = 0;
    virtual task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) = 0;
    // Everything, at once.
    virtual task<Result<>> flush() = 0;

    // Jobs of another store, each in the state it had there. One result per job, in order: stored;
    // `same` when it was brought in before, within limits::kImportMarkMs, whatever has become of
    // it, or is live; duplicate: another live job has its jid. Requires: validate().
    virtual task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) = 0;

    // A look at everything that is stored, for what does not fit together; with `fix` it is
    // repaired. The store outlives it.
    virtual std::unique_ptr<Checkup> checkup(bool fix) = 0;

    // Called with a queue that has something to fetch since another operation than enqueue, promote
    // or requeue: a callback of a batch, or a slot that became free. "": the schedule has more.
    void on_ready(std::function<void(const std::string& queue)> fn) { on_ready_ = std::move(fn); }

  protected:
    std::function<void(const std::string& queue)> on_ready_;
};

}  // namespace jobq
