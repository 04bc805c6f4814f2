// JobFilter: which jobs of a state are meant, for LIST, RETRY_DEAD, operations and the groups of
// the dead; and the bounded scan that finds them.
//
// Must stay true: a call looks at so many jobs, or so long, and then gives a cursor to go on with,
// however few match.
#pragma once

#include <string>
#include <vector>

#include "daemon/broker/broker.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {

struct JobFilter {
    std::string type, queue, tag;  // "": any
    std::string error;             // part of the last error's type or message
    std::string text;              // part of the stored args, tags and custom fields, or the result
    std::string group;             // of failed ones: what they are counted under
    int64_t since_ms = 0;          // created, or died, at or after

    static JobFilter from(Request& request);
    bool matches(const JobView& view) const;

    bool is_empty() const {
        return type.empty() && queue.empty() && tag.empty() && error.empty() && text.empty() &&
               group.empty() && since_ms == 0;
    }
};

// What a failed job is counted under, or will be; "" of others.
std::string group_of(const JobView& view);

struct ScanRequest {
    State state = State::ready;
    JobFilter filter{};
    // As the scan before left it. Of ready jobs without a queue: "<queue> <cursor in it>".
    std::string cursor{};
    int limit = limits::kListPage;    // jobs that match
    int page = limits::kListPageMax;  // looked at in one step, where there is a filter
    bool newest_first = false;
    int64_t looks = limits::kScanJobs;
    int64_t for_ms = limits::kScanMs;
};

struct ScanPage {
    std::vector<JobView> jobs;  // with the beginning of their args alone
    std::string next;           // "": that was all
    int64_t looked_at = 0;
};

task<Result<ScanPage>> scan_jobs(Broker& broker, ScanRequest request);

}  // namespace jobq::verbs
