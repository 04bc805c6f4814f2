// From a job and its type's section to what is executed: argv, environment, limits. Pure but for
// the runner's own HOME, which is read once. Used by ProcessJob and ChildPool.
//
// Must stay true: the environment holds nothing of the runner's; a payload comes into argv only as
// one whole argument, where the template says "{payload}".
#pragma once

#include <string>
#include <vector>

#include "core/protocol/runner_messages.h"
#include "daemon/loop/child.h"

namespace jobq {

struct Launch {
    SpawnPlan plan;              // without descriptors
    std::string standard_input;  // "": /dev/null
};

// bad_data: the payload of a `run` job; forbidden: `run` is not allowed; not_found: no handler.
Result<Launch> launch_of(const TakenJob& job, const TypeSpec* type, bool run_allowed);
Launch launch_child(const PoolSpec& pool);

}  // namespace jobq
