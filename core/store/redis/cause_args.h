// The arguments by which a script counts a failed job.
#pragma once

#include <string>

#include "core/job/job.h"
#include "core/store/link/redis_link.h"

namespace jobq {

// The group that it is counted under, and the words of its cause.
void add_cause(Command& args, const std::string& type, const JobRecord& record);

}  // namespace jobq
