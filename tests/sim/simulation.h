// Simulation: one run from one seed: clients, daemons, workers and trouble; then peace, until all
// is drained; then the look at what has become of every job.
#pragma once

#include "tests/sim/workers.h"
#include "tests/support/memory_store.h"

namespace jobq::sim {

struct Verdict {
    uint64_t seed = 0;
    std::vector<Violation> violations;
    uint64_t events = 0, calls = 0, starts = 0;
    int64_t lasted_ms = 0;  // of virtual time
};

// Leaves behind what the killed daemons held: a process should end after some hundred of them.
Verdict simulate(uint64_t seed, Mistake mistake, bool tracing);

}  // namespace jobq::sim
