// An operation of jobqd (all jobs that match a filter, in the background, perhaps at a rate), begun
// and watched to its end. Used by retry-dead --rate.
#pragma once

#include <string>

#include "cli/line/invocation.h"

namespace jobq::cli {

// `request`: of OPERATE. Returns the operation as it ended, of OPERATIONS; its progress is shown on
// the terminal meanwhile. ^C ends the operation too: what it has done stays done. A connection that
// is lost comes back; a jobqd that was restarted has forgotten the operation (kNotFound).
Answer<std::string> run_operation(Client& client, Output& out, const std::string& request);

}  // namespace jobq::cli
