// World: what all parts of one simulated run share: virtual time, chance, the list of broken
// invariants, the trace. Each daemon has a reactor of its own, so that a kill can drop all that it
// waits for; the clock here is that of clients, workers and the store, and outlives them.
//
// Must stay true: one seed gives one run. Nothing here may ask the machine for time or chance, and
// nothing may depend on an address.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/async/wait.h"
#include "tests/support/test_reactor.h"

namespace jobq::sim {

// Planted on purpose, to see that the checks find them.
enum class Mistake : uint8_t {
    none,
    stale_finish,     // a finish with a token that is not current is accepted
    double_fetch,     // a job is given to a second fetcher while it runs
    lost_enqueue,     // an acknowledged job is not there
    never_recalled,   // what a dead owner held is not given back
    early_start,      // the schedule forgets its times
    changed_args,     // other bytes than were enqueued
    ignored_cancel,   // an acknowledged cancel of a waiting job is forgotten
    endless_crashes,  // the crash budget is not counted
    second_lock,      // two jobs hold one lock
    changed_result,   // a record's result changes later
    wrong_type,       // a fetch takes jobs of types that its worker does not run
    count_
};

// What kinds of trouble a run has; drawn from its seed.
struct Plan {
    int jobs = 0, clients = 0, pool_slots = 0, runners = 0, faktory = 0, daemons = 1;
    int call_faults = 0;    // per mille of store calls
    int daemon_kills = 0;   // per mille of store calls
    int net_faults = 0;     // per mille of requests to a daemon
    int worker_faults = 0;  // per cent of runs
    bool wall_jumps = false, far_jump = false;
    int64_t heal_ms = 0;  // faults end then

    static Plan draw(uint64_t seed);
    std::string text() const;
};

// A process that may be killed: its reactor and whether it still lives.
struct Realm {
    explicit Realm(uint64_t seed) : reactor(seed) {}

    test::TestReactor reactor;
    bool alive = true;
};

struct Violation {
    std::string invariant, text;
};

class World {
  public:
    World(uint64_t seed, Mistake mistake, bool tracing);

    const Plan plan;
    const Mistake mistake;
    const bool tracing;
    test::TestReactor clock;
    Rng rng;
    bool faults = true;  // off after Plan::heal_ms

    // Of one process from now on, at the present time. Kept for ever: what a kill leaves behind is
    // never resumed and never destroyed.
    std::shared_ptr<Realm> new_realm();
    // All that is due within `ms`, in all realms; ends early when `enough` says so.
    void run(int64_t ms, const std::function<bool()>& enough);
    void step_wall(int64_t ms);

    int64_t now() const { return clock.now_ms(); }

    int64_t wall() const { return clock.wall_ms(); }

    // The latest time the wall clock has shown.
    int64_t latest_wall() const { return latest_wall_; }

    bool chance(int per_mille) { return int(rng.below(1000)) < per_mille; }

    bool fault(int per_mille) { return faults && per_mille > 0 && chance(per_mille); }

    int64_t between(int64_t low, int64_t high) {
        return low + int64_t(rng.below(uint64_t(high - low + 1)));
    }

    void say(const std::string& text);
    void violated(const std::string& invariant, const std::string& text);

    const std::vector<Violation>& violations() const { return violations_; }

    uint64_t events() const { return events_; }

    uint64_t fired() const;

  private:
    void settle();
    void move_to(int64_t now_ms);

    std::vector<std::shared_ptr<Realm>> realms_;
    std::vector<Violation> violations_;
    int64_t wall_step_ = 0, latest_wall_;
    uint64_t events_ = 0;
};

}  // namespace jobq::sim
