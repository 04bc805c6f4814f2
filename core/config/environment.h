// JOBQ_* variables and flags as configuration.
#pragma once

#include <map>
#include <string>

#include "core/config/loader.h"

namespace jobq {

// JOBQ_LISTEN_TCP for listen.tcp, JOBQ_POOL_DEFAULT_SLOTS for a pool the files have. Variables of
// jobs and of the CLI are left alone; one that nobody knows is a warning.
void load_environment(LoadState& state, const std::map<std::string, std::string>& environment);

// Values from the command line, by the path of their key; each must be one that exists.
void load_flags(LoadState& state, const std::map<std::string, std::string>& flags);

}  // namespace jobq
