// The end of a load: waiting until the jobs are over, and proving afterwards that each one that was
// acknowledged is still known.
#pragma once

#include "cli/link/client.h"
#include "cli/loadgen/load_events.h"
#include "cli/loadgen/load_result.h"

namespace jobq::cli {

struct LoadCounts {
    int64_t over = 0;  // since ever
    int64_t open = 0;  // that wait or run
};

Answer<LoadCounts> load_counts(Client& client);

// Until `jobs` more than `before` are over, or none is left, or ^C. Fills in `ended` and `run_us`,
// from `start_us` on. `events` may be null.
Answer<> wait_for_ends(Client& client, Output& out, LoadResult& result, LoadCounts before,
                       int64_t jobs, int64_t start_us, LoadEvents* events, LoadProgress& progress);

// Looks every acknowledged job up.
Answer<> check_load(Client& client, const LoadPlan& plan, const LoadIds& ids, const LoadBook& book,
                    LoadResult& result, LoadProgress& progress);

}  // namespace jobq::cli
