// JobFilter: which jobs of a state are meant, for LIST and RETRY_DEAD. One page of the store at a
// time; what does not match is left out, so a page may be short.
#pragma once

#include <string>

#include "daemon/server/verbs/request.h"
#include "daemon/work/broker.h"

namespace jobq::verbs {

struct JobFilter {
    std::string type, queue, tag, error;  // "": any; error: part of the last error's text
    int64_t since_ms = 0;                 // created, or died, at or after
    bool any_queue = false;               // LIST of ready jobs without a queue: one after the other

    static JobFilter from(Request& request);
    bool matches(const JobView& view) const;
};

// The page's jobs that match. With any_queue the cursor is "<queue> <cursor in it>".
task<Result<ListPage>> list_jobs(Broker& broker, ListRequest request, JobFilter filter);

}  // namespace jobq::verbs
