// Intake: the one door by which jobs come in, whatever front they come to: it asks the rules
// (intake_rules.h), has the store keep them, and wakes those who wait for them.
//
// Must stay true: what is refused was not stored; once it is closed nothing is stored any more.
#pragma once

#include <optional>
#include <vector>

#include "core/async/task.h"
#include "core/store/storage_gate.h"
#include "core/store/store.h"
#include "daemon/broker/caller.h"
#include "daemon/broker/current_config.h"
#include "daemon/broker/journal.h"
#include "daemon/broker/recent_jids.h"
#include "daemon/broker/wakeups.h"

namespace jobq {

class Intake {
  public:
    Intake(Reactor& reactor, Store& store, const CurrentConfig& config, const StorageGate& storage,
           RecentJids& recent, Wakeups& wakeups, Journal& journal);

    // One result per job, in order; wakes those who wait for them.
    task<std::vector<Result<Enqueued>>> enqueue(std::vector<Job> jobs, Caller from);
    // Nothing, or why it may not come in. enqueue() asks for itself.
    std::optional<Error> refusal(const Job& job, const Caller& caller) const;
    // Jobs of another store, with their past. See core/store/import_store.h.
    task<Result<std::vector<Result<Enqueued>>>> import_jobs(std::vector<Imported> jobs);

    // From now on no job comes in: jobqd is shutting down.
    void close() { closed_ = true; }

  private:
    // The answer to an enqueue that the store need not be asked about.
    std::optional<Result<Enqueued>> settled(const Job& job, const Caller& caller);
    task<std::vector<Result<Enqueued>>> enqueue_able(std::vector<Job> jobs);
    // Marks those whose jids may have been used, for the store to look.
    void note_recent(std::vector<Job>& jobs);

    Reactor& reactor_;
    Store& store_;
    const CurrentConfig& config_;
    const StorageGate& storage_;
    RecentJids& recent_;
    Wakeups& wakeups_;
    Journal& journal_;
    bool closed_ = false;
};

}  // namespace jobq
