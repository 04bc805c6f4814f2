// JobControl: what people do to jobs and queues: cancel, requeue, release, remove, pause, flush.
// The one door of all fronts for it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/store/store.h"
#include "daemon/broker/caller.h"
#include "daemon/broker/leases.h"

namespace jobq {

class JobControl {
  public:
    JobControl(Store& store, Workers& workers, const CurrentConfig& config, RunningTable& running,
               Wakeups& wakeups, Watchers& watchers, Journal& journal, KeptEnds& kept_ends,
               Holders& holders, Leases& leases);

    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids);
    // Commands that this caller may not have run are left alone: forbidden.
    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids, bool revive,
                                                Caller from);
    // Ends the leases of running jobs by hand, as if their holders had died: they run again, or end
    // when a cancel is on record. conflict: it does not run, or its holder is there.
    task<Result<std::vector<Result<>>>> release(std::vector<std::string> jids, Caller from);
    task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids);
    // Scheduled and retrying jobs become dead.
    task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids);
    // The ready jobs of a queue, and with `forget` the queue itself; how many.
    task<Result<int64_t>> clear(std::string queue, bool forget);
    task<Result<>> pause(std::vector<std::string> queues, bool paused);
    // Drops every job. Queues stay known and paused ones paused, as Faktory has it.
    task<Result<>> flush();

    // A job is to be cancelled: whoever runs it is told, here once.
    void note_cancel(const std::string& jid);
    // Cancels that are on record for what runs here, should no word of them have come.
    task<void> look_for_cancels();

  private:
    void tell_holder(const std::string& jid, const std::string& owner);
    // Commands that this caller may not have run, by place.
    task<Result<std::map<size_t, Error>>> refused_commands(std::vector<std::string> jids,
                                                           Caller from);
    // Owners of these that nobody here knows; another jobqd may.
    std::set<std::string> strangers_of(const std::vector<Result<JobView>>& views) const;
    // Nothing, or why the lease is not to be ended: somebody is there who runs the job. `beating`:
    // owners that another jobqd keeps alive.
    std::optional<Error> why_held(const JobView& view, const std::set<std::string>& beating) const;

    Store& store_;
    Workers& workers_;
    const CurrentConfig& config_;
    RunningTable& running_;
    Wakeups& wakeups_;
    Watchers& watchers_;
    Journal& journal_;
    KeptEnds& kept_ends_;
    Holders& holders_;
    Leases& leases_;
};

}  // namespace jobq
