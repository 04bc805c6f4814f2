// From a job and its type's section to what is executed: argv, environment, limits. Pure but for
// the user's HOME, name and shell, which are read once. Used by ProcessJob and ChildPool.
//
// Must stay true: the environment holds nothing of the runner's but HOME; a payload comes into argv
// only as one whole argument, where the template says "{payload}".
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

// `url`: where its jobqd listens, for a jobq that the job runs; "": not said.
// bad_data: the payload of a `run` job; forbidden: `run` is not allowed; not_found: no handler.
Result<Launch> launch_of(const TakenJob& job, const TypeSpec* type, bool run_allowed,
                         const std::string& url = {});
Launch launch_child(const PoolSpec& pool, const std::string& url);

}  // namespace jobq
