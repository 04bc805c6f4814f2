// JobStore: the way of a job through the store: in, to who runs it, and the end of each attempt.
// Called for every job, by those who take jobs in, hand them out and end them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/job/decide.h"
#include "core/job/job.h"
#include "core/job/type_set.h"
#include "core/store/enqueued.h"
#include "core/store/lease.h"

namespace jobq {

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

class JobStore {
  public:
    virtual ~JobStore() = default;

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
};

}  // namespace jobq
