// Leased: a job with the right to run it, as fetch() gives it and take_over() gives it again.
#pragma once

#include <cstdint>
#include <string>

#include "core/job/job.h"

namespace jobq {

// A job with the right to run it.
struct Leased {
    Job job;
    JobRecord record;
    std::string token;
    int64_t started_ms = 0;  // wall clock, of the fetch
    bool cancelled = false;  // take_over(): a cancel is on record for it
    // Its stored form is damaged, as `damage` says: of the job there is jid, and what else could be
    // told. It must not run: finish it with Move::dead.
    bool corrupt = false;
    std::string damage;
};

// A lease by name. Token "": the present one, whichever it is.
struct LeaseName {
    std::string jid, token;
};

}  // namespace jobq
