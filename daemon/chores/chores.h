// Chores: the periodic duties of jobqd, each a coroutine of its own that ends at stop().
//
//   promoter  due jobs become ready: a timer for the next due time, no polling. A slow look every
//             kScanMs is the safety net when other daemons share the store.
//   leases    process leases of workers (15 s without a heartbeat), reservations of plain Faktory
//             workers, beats for what this daemon holds, owners of other daemons that beat no more
//   purger    what is past its retention
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "core/async/gate.h"
#include "daemon/work/broker.h"

namespace jobq {

class Chores {
  public:
    // `shared_store`: other daemons may use it too.
    Chores(Reactor& reactor, Broker& broker, bool shared_store);

    void start();
    task<void> stop();
    // The store is reachable again: look at once.
    void look_now();
    // A worker's process is known dead: what it holds is returned at once.
    void worker_died(std::shared_ptr<Worker> worker);

  private:
    task<void> promoter();
    task<void> leases();
    task<void> purger();
    task<void> reap_worker(std::shared_ptr<Worker> worker, std::string why);
    task<void> check_workers();
    task<void> check_gone();
    // Also between the beats of all: who has just connected here is not dead elsewhere.
    task<void> beat_newcomers();
    task<void> beat_and_watch();
    bool stale(const Worker& worker) const;

    struct Seen {
        int64_t beat = -1;
        int64_t since_ms = 0;
    };

    Reactor& reactor_;
    Broker& broker_;
    bool shared_store_;
    bool stopping_ = false;
    int64_t due_wall_ms_ = 1;  // of the next job that becomes due; 1: look now, 0: none
    Signal due_changed_, stop_;
    std::unordered_map<std::string, Seen> seen_;
    std::set<std::string> beaten_;  // Faktory workers, by their owner's name in the store
    int64_t looked_ms_ = 0;         // at the owners, with an answer
    Gate gate_;
};

}  // namespace jobq
