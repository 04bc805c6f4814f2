// Asks jobqd about the jobs whose ids are given, for the verbs that show something of each: status,
// why, history. What does not exist is said, and gives exit status 3.
#pragma once

#include <functional>

#include "cli/line/invocation.h"
#include "cli/terminal/output.h"
#include "core/json/view.h"

namespace jobq::cli {

struct JobShow {
    std::function<void(Output& out, JsonView job)> text;
    // What machines get of it: one object or more.
    std::function<void(Records& records, JsonView job)> machine;
};

Answer<int> each_job(Invocation& invocation, const JobShow& show);

}  // namespace jobq::cli
