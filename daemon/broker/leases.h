// Leases: owners that come, go and die. A lease taken away becomes ours in one step of the store,
// under a name of this process; then the attempt ends like any other, as a crash. Should we die in
// between, our name is a dead owner for the next one.
//
// Must stay true: a job whose owner is dead or late is taken away in the end, also when the store
// gives no answer meanwhile; whose end is kept is left alone.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "core/store/store.h"
#include "daemon/broker/attempts.h"
#include "daemon/broker/holders.h"
#include "daemon/broker/kept_ends.h"
#include "daemon/broker/owner_names.h"

namespace jobq {

class Leases {
  public:
    Leases(Reactor& reactor, Store& store, Workers& workers, const CurrentConfig& config,
           const OwnerNames& names, RunningTable& running, RecentJids& recent, Wakeups& wakeups,
           Journal& journal, Attempts& attempts, KeptEnds& kept_ends, Holders& holders);

    // After the store opened: what earlier processes left behind. When the store fails meanwhile it
    // is done again by settle_rest().
    task<void> recover();
    // Owners whose jobs were to be taken away while the store gave no answer: once more.
    task<void> settle_rest();

    bool has_rest() const { return !unsettled_.empty() || !recovered_ || wakeups_.looks_again(); }

    // Takes back all jobs of an owner whose process is dead or whose lease has expired.
    task<int> reap(std::string owner, std::string why);
    // Takes these from `from` and settles them as lost; the jids it had.
    task<Result<std::set<std::string>>> take_away(std::string from, std::vector<LeaseName> some,
                                                  std::string why);
    // What this Faktory worker holds goes back to its queue: it is dead.
    task<void> release_held_by(std::string wid, std::string why);
    // Jobs that are to be cancelled, of Faktory workers that are gone: nobody would report their
    // end.
    task<void> end_cancelled_of_gone();
    // Takes back the jobs whose own leases (Faktory reservations) have expired.
    task<void> expire();

    // A worker says what it runs, as jids and tokens: known leases are its own again, the others
    // are returned.
    task<std::vector<std::string>> adopt(std::string owner, std::string worker,
                                         std::vector<std::pair<std::string, std::string>> held);
    // Later by TRACK; true when the job is leased one by one.
    bool extend(const std::string& jid, int64_t until_wall_ms);

  private:
    task<void> settle_lost(std::vector<Leased> leases, std::string owner, std::string why);
    // Settles the jobs that expire() took back.
    task<void> settle_expired(std::vector<Leased> leases, std::string owner);
    // The owners that an earlier process left: dead ones are reaped, others are awaited.
    task<void> meet_owners(std::vector<OwnerInfo> owners);
    // Every job that runs and is not in the table goes there. False: the store failed.
    task<bool> note_all_running();
    // After a start: what TRACK said before of leases that go job by job.
    task<void> restore(std::vector<std::string> jids);

    Reactor& reactor_;
    Store& store_;
    Workers& workers_;
    const CurrentConfig& config_;
    const OwnerNames& names_;
    RunningTable& running_;
    RecentJids& recent_;
    Wakeups& wakeups_;
    Journal& journal_;
    Attempts& attempts_;
    KeptEnds& kept_ends_;
    Holders& holders_;
    // Before `until`, what a killed process sent to a Redis that was not its own may still be done.
    bool recovered_ = true;
    int64_t recover_at_ms_ = 0, recover_until_ms_ = 0;
    std::set<std::string> unsettled_;
};

}  // namespace jobq
