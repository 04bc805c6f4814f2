// Reaper: what ends without a word. Process leases of workers (15 s without a heartbeat),
// reservations of plain Faktory workers, jobs whose fetch or whose take-over was cut off.
#pragma once

#include <memory>
#include <string>

#include "daemon/chores/chore.h"

namespace jobq {

class Reaper final : public Chore {
  public:
    // `shared_store`: other daemons may use it too.
    Reaper(Broker& broker, bool shared_store) : Chore(broker), shared_store_(shared_store) {}

    // A worker's process is known dead: what it holds is returned at once.
    void worker_died(std::shared_ptr<Worker> worker);

  private:
    task<void> run() override;
    task<void> reap_worker(std::shared_ptr<Worker> worker, std::string why);
    task<void> check_workers();
    task<void> check_gone();
    bool stale(const Worker& worker) const;

    const bool shared_store_;
};

}  // namespace jobq
