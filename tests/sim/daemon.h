// Daemon: one simulated jobqd: the real Broker, Chores, Workers, Waiters and Events over a
// FaultyStore, with a pool of its own, on a reactor of its own. Cluster: those that run now, what
// they are killed by, and the way to them.
//
// Must stay true: after a kill nothing of a daemon runs again and nothing of it is destroyed: its
// suspended coroutines, and all they hold, stay where they are, as nobody would unwind them either.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "daemon/broker/broker.h"
#include "daemon/chores/chores.h"
#include "tests/sim/faulty_store.h"
#include "tests/sim/witness.h"

namespace jobq::sim {

class Cluster;

// A request on its way to a daemon and back.
struct Exchange {
    std::shared_ptr<Waiters::Ticket> ticket;  // of a fetch that may wait
    bool cut = false;                         // nobody hears the answer
};

// How a run goes; drawn anew for each.
struct Behaviour {
    int64_t takes_ms = 0;
    Outcome outcome = Outcome::success;

    static Behaviour draw(World& world);
};

Ended ended_of(const Leased& lease, const std::string& owner, Outcome outcome, World& world);

class Daemon {
  public:
    Daemon(Cluster& cluster, int which);

    void start();
    // From outside: as if by SIGKILL.
    void die();

    bool serving() const { return serving_ && realm->alive; }

    // That takes jobs of any type.
    bool has_free_slot() const { return serving() && !shares() && busy_ < world.plan.pool_slots; }

    // With others to run the slow ones its pool may run the quick ones alone.
    bool shares() const {
        return world.plan.runners + world.plan.faktory > 0 && world.plan.jobs % 2 == 0;
    }

    // A worker says who it is; it counts as a sign of life.
    std::shared_ptr<Worker> join(const std::string& wid, WorkerKind kind);

    std::shared_ptr<Realm> realm;
    World& world;
    Witness& witness;
    std::shared_ptr<StoreLink> link;
    FaultyStore store;
    Events events;
    Workers workers;
    Broker broker;
    Chores chores;
    std::vector<std::function<void()>> hang_ups;  // of requests that wait for an answer
    uint64_t sessions = 0;

  private:
    task<void> come_up();
    task<void> pool_fetcher();
    task<void> pool_run(Leased lease);

    Cluster& cluster_;
    int which_;
    bool serving_ = false;
    int busy_ = 0;
    std::string owner_;
    Signal room_;
    std::set<size_t> runs_;
};

template <class T>
using Serve = std::function<task<Result<T>>(Daemon*, std::shared_ptr<Exchange>)>;

class Cluster {
  public:
    Cluster(World& world, Witness& witness);

    void start();
    void kill(int which);

    Daemon* daemon(int which) { return daemons_[size_t(which)]; }

    int size() const { return int(daemons_.size()); }

    // unavailable: it does not run; unknown: no answer came.
    template <class T>
    Slot<Result<T>> call(int which, Serve<T> serve);

    void hint(int from, const std::string& queue);

    World& world;
    Witness& witness;
    StoreServer server;
    std::shared_ptr<const Config> config;

  private:
    void revive(int which);

    std::vector<Daemon*> daemons_;  // never deleted
};

template <class T>
task<void> serve_one(Daemon* daemon, Serve<T> serve, std::shared_ptr<Exchange> exchange,
                     Slot<Result<T>> slot) {
    auto result = co_await serve(daemon, exchange);
    World& world = daemon->world;
    world.clock.after(world.between(0, 2), [slot, exchange, result] {
        if (!exchange->cut) slot.set(result);
    });
}

template <class T>
Slot<Result<T>> Cluster::call(int which, Serve<T> serve) {
    Slot<Result<T>> slot(world.clock);
    auto exchange = std::make_shared<Exchange>();
    auto lost = [slot] { slot.set(fail(ErrorCode::unknown, "the connection ended")); };
    world.clock.after(world.between(0, 2), [this, which, serve, slot, exchange, lost] {
        Daemon* target = daemon(which);
        if (exchange->cut) return;
        if (!target || !target->serving())
            return slot.set(fail(ErrorCode::unavailable, "jobqd does not run"));
        target->hang_ups.push_back(lost);
        spawn(serve_one<T>(target, serve, exchange, slot));
    });
    if (!world.fault(world.plan.net_faults)) return slot;
    int64_t in = world.chance(500) ? world.between(0, 5) : world.between(0, 3'000);
    world.clock.after(in, [this, exchange, lost] {
        exchange->cut = true;
        lost();
        // The daemon sees the end of the connection at once, or only when it is long over.
        int64_t later = world.chance(700) ? 1 : world.between(100, 20'000);
        world.clock.after(later, [exchange] {
            if (exchange->ticket) exchange->ticket->interrupt();
        });
    });
    return slot;
}

}  // namespace jobq::sim
