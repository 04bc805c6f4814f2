// enqueue --jsonl: one job a line, pipelined, with flat memory, one result line a line in order.
#pragma once

#include <string>

#include "cli/line/invocation.h"

namespace jobq::cli {

// `type`: "" when each line is an object with its own; else each line is only a payload.
// `defaults`: members of an ENQUEUE request (from the options) for lines that do not say otherwise.
Answer<int> enqueue_lines(Invocation& invocation, const std::string& type,
                          const std::string& defaults);

}  // namespace jobq::cli
