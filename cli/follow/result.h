// What a job returned: the verb `result`, and the last step of enqueue --wait.
#pragma once

#include <string_view>

#include "cli/line/invocation.h"
#include "core/json/view.h"

namespace jobq::cli {

// Text: the result of `job`, when it has one, as the handler wrote it. JSON: the job with a member
// "result" or "text" added.
Answer<> print_outcome(Client& client, Output& out, JsonView job);

}  // namespace jobq::cli
