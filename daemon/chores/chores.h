// Chores: the list of the periodic duties of jobqd, started and stopped together.
#pragma once

#include <memory>
#include <vector>

#include "daemon/chores/output_keeper.h"
#include "daemon/chores/owner_beats.h"
#include "daemon/chores/promoter.h"
#include "daemon/chores/purger.h"
#include "daemon/chores/reaper.h"

namespace jobq {

class Chores {
  public:
    // `shared_store`: other daemons may use it too.
    Chores(Broker& broker, bool shared_store);

    void start();
    task<void> stop();

    // The store is reachable again: look at once.
    void look_now() { promoter_.look_now(); }

    void worker_died(std::shared_ptr<Worker> worker) { reaper_.worker_died(std::move(worker)); }

  private:
    Reactor& reactor_;
    Promoter promoter_;
    Reaper reaper_;
    OwnerBeats beats_;
    Purger purger_;
    OutputKeeper output_keeper_;
    std::vector<Chore*> all_;
};

}  // namespace jobq
