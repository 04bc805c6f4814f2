// Submitting one job and, if wanted, seeing it through: shared by enqueue and run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/line/invocation.h"
#include "core/json/view.h"

namespace jobq::cli {

struct Submitted {
    std::string jid;
    std::string reply;      // the daemon's JSON
    bool repeated = false;  // an answer was lost before
};

// The request, when its answer was lost and it is sent again: then the daemon looks for its jid
// among the jobs that are over, too.
std::string as_repeat(const std::string& request);

// Sends an ENQUEUE request that carries a jid. When the connection is lost before the answer it is
// sent again over a new one, for kComeBackMs: the same jid is stored once.
Answer<Submitted> submit(Client& client, Output& out, const std::string& request,
                         const std::string& jid);
// The daemon's remarks on stderr: nobody runs this type, the time is in the past, the key is known.
void print_remarks(Output& out, const Submitted& submitted);
// The answer for people or machines; for people with the remarks.
void print_submitted(Output& out, const Submitted& submitted);

// Waits for the job's end, prints its result. Ends with 0, 1 (it failed), 124 or 130.
Answer<int> see_through(Client& client, Output& out, const std::string& jid,
                        std::optional<int64_t> limit_ms);

// A new time-ordered id.
std::string new_jid();

}  // namespace jobq::cli
