// Help on stdout: short for `jobq` alone, the list of verbs, one verb, or the exit statuses.
#pragma once

#include <string>

#include "cli/terminal/output.h"

namespace jobq::cli {

void print_short_help(Output& out);
// `topic`: "" for all verbs, a verb ("queue pause"), a group ("queue"), or "exit".
Answer<int> print_help(Output& out, const std::string& topic);

}  // namespace jobq::cli
