// The rows that scripts answer with, as leases and views of jobs. What can't be read is corrupt,
// and no error: the rest of the answer holds.
#pragma once

#include <string>

#include "core/store/job_reader.h"
#include "core/store/lease.h"
#include "core/store/link/redis_link.h"

namespace jobq {

Leased leased_of(const Reply& jid, const Reply& envelope, const Reply& record,
                 const std::string& token, int64_t started_ms);
// A job that is over, as its record.
void fill_final(JobView& view, const std::string& jid, const std::string& bytes);
// A jid that was pushed again leaves a record for each life; the last is the one asked for.
void fill_last_final(JobView& view, const std::string& jid, const Reply& row);
// A job that is not over. False: more of its envelope is needed than was read.
bool fill_live(JobView& view, const std::string& jid, const Reply& row);

}  // namespace jobq
