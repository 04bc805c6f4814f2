// Doing one thing to many jobs by id; shared by cancel, retry, rm and retry-dead.
#pragma once

#include <string_view>

#include "cli/line/invocation.h"

namespace jobq::cli {

struct Act {
    std::string_view wire;  // "CANCEL"
    std::string_view verb;  // "would cancel"
    std::string_view done;  // "01ABC cancelled"
};

// Takes ids from the arguments or stdin, obeys --dry-run (which the verb must have). Ends with 0, 1
// when some of several failed, or the one job's own status.
Answer<int> act_on_jobs(Invocation& invocation, const Act& act);

}  // namespace jobq::cli
