// Returns: jobs that go back to their queues without an attempt spent: they were taken and never
// began, or nobody heard that they were taken.
//
// Must stay true: what a call took whose answer was lost is looked for until that call is done or
// never will be, and is handed back by whoever finds it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "core/store/store.h"
#include "daemon/broker/attempts.h"
#include "daemon/broker/owner_names.h"
#include "daemon/broker/running_table.h"

namespace jobq {

class Returns {
  public:
    Returns(Reactor& reactor, Store& store, const OwnerNames& names, RunningTable& running,
            Attempts& attempts);

    // False: some have no answer of the store. They are looked for later.
    task<bool> hand_back(std::vector<Leased> leases, std::string owner);
    // All that the owner holds: it ends in order.
    task<void> hand_back_all(std::string owner);
    // After a heartbeat: jobs the owner was given but never names, as the answer that gave them was
    // lost with its connection.
    task<void> hand_back_unheard(std::string owner, std::vector<std::string> named);

    // What the fetch with this token took, and what is not known to have ended, is to be handed
    // back; of one whose answer is known just the job `jid`, as others of it may run.
    void look_for(const std::string& token, const std::string& jid = {});

    bool has_lost() const { return !lost_.empty(); }

    // Hands back what was lost and is found. Repeated for a while, as a command that was sent may
    // be carried out late.
    task<void> recall();

  private:
    bool is_lost(const JobView& view) const;
    void forget_over();

    Reactor& reactor_;
    Store& store_;
    const OwnerNames& names_;
    RunningTable& running_;
    Attempts& attempts_;
    // Token, or token and jid -> when to stop looking (monotonic).
    std::map<std::pair<std::string, std::string>, int64_t> lost_;
};

}  // namespace jobq
