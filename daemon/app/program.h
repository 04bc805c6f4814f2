// What main() calls: any mode of the options.
#pragma once

#include "daemon/app/options.h"

namespace jobq {

// Returns the exit status.
int run_daemon(const Options& options);

}  // namespace jobq
