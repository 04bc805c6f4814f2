// What POOLS answers: the pools and types a runner of this host is to run.
#pragma once

#include <string>

#include "core/config/config.h"
#include "core/job/type_set.h"
#include "core/protocol/runner_messages.h"

namespace jobq {

// `local`: the runner of this daemon, which gets the configured pools; others get types alone.
Assignment assignment_of(const Config& config, bool local, std::string version);
// The types of jobs that a pool of jobqd's own runs; null: any.
Types types_run_by(const PoolConfig& pool, const Config& config);
// True when that runner has anything to do.
bool needs_runner(const Config& config);

}  // namespace jobq
