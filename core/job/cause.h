// Cause: why a job failed last, without what differs from job to job, so that ten thousand failed
// jobs are three causes. Pure. The store counts jobs by cause: core/store/lua/lib/failed.lua.
//
// Must stay true: a fingerprint is the same in every process and for good, as stores keep it.
#pragma once

#include <string>
#include <string_view>

#include "core/job/job.h"

namespace jobq {

struct Cause {
    std::string type;        // of the job
    std::string error_type;  // class of the last error
    std::string message;     // its first line, with "#" for each part that varies
    std::string reason;      // of a job without errors, why it is dead: killed, corrupt

    bool operator==(const Cause&) const = default;

    // 16 hex digits.
    std::string fingerprint() const;
    // As the store keeps it. What can't be read is a cause without words.
    std::string to_json() const;
    static Cause from_json(std::string_view text);
};

Cause cause_of(const std::string& type, const JobRecord& record);

// "#" for each number, hexadecimal word, UUID or long id with digits, and for a quoted word with a
// digit in it.
std::string masked(std::string_view text);

}  // namespace jobq
