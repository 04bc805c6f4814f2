// Sweep: many seeds, each some hundred of them in a process of their own: what killed daemons leave
// behind goes with it, and a seed that ends the program is a failed seed, not the end of the sweep.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/simulation.h"

namespace jobq::sim {

struct Failed {
    uint64_t seed = 0;
    std::string invariant, text;
};

struct Sum {
    uint64_t seeds = 0, events = 0, calls = 0, starts = 0, virtual_s = 0;
    std::vector<Failed> failed;

    std::string text() const;
};

// Both included. Prints each failed seed with the command that repeats it.
Sum sweep(uint64_t from, uint64_t to, Mistake mistake);
// One seed with its trace on stdout; true when nothing was broken.
bool show(uint64_t seed);

}  // namespace jobq::sim
