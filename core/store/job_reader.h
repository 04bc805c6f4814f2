// JobReader: looks at jobs, one by one or in pages. Changes nothing. Called for people and programs
// that ask, and by those who must know a job before they change it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/job/job.h"

namespace jobq {

// All that is known of one job.
struct JobView {
    State state = State::ready;
    Job job;  // of a final one: only jid, type, queue, created_ms, tags
    JobRecord record;
    FinalRecord final;  // when is_final(state)
    int64_t at_ms = 0;  // scheduled, retrying: when due; dead: when it died
    std::string owner;  // running
    std::string token;
    int64_t started_ms = 0;
    bool cancel_asked = false;
    bool corrupt = false;
    int64_t args_bytes = 0;  // of the args, also of those that are cut: see ListRequest::heads
    std::string after;       // of one in a page: the cursor that goes on behind it
    std::string group;       // of a failed one in a page: what it is counted under; "": not yet
};

struct ListRequest {
    State state = State::ready;
    std::string queue;   // "" any; required for ready
    std::string cursor;  // "" from the start, else what the last page returned
    int limit = limits::kListPage;
    // Of jobs that are not over just the first kPreviewBytes of the args, and damage past the first
    // kHeadBytes of the stored form is not seen.
    bool heads = false;
    // "": any. With `heads`: only jobs whose stored form (args, tags, custom fields), or result,
    // holds these bytes.
    std::string text{};
    bool newest_first = false;  // of scheduled, retrying and dead; a cursor fits one order alone
};

// A walk from "" on meets each job that was there when it began and stays, once; of those that come
// meanwhile it may meet some, but none that is scheduled, retrying or dead by an attempt that ended
// since it began. A page may hold fewer than `limit`, even none, and still not be the last: go on
// while next != "".
struct ListPage {
    std::vector<JobView> jobs;
    std::string next;
    int64_t looked_at = 0;  // also those that are not what was asked for
};

struct AttemptLog {
    int attempt = 0;
    std::string text;
};

// Where a ready job stands in its queue, and who has the slots of a queue with a limit.
struct PlaceInLine {
    int64_t ahead = -1;  // so many jobs of its queue come first; -1: more than are looked through
    bool exact = true;   // false: some of them may be cancelled ones
    int64_t in_use = 0;  // slots
    std::vector<std::pair<std::string, std::string>> holders{};  // some: jid, worker
};

class JobReader {
  public:
    virtual ~JobReader() = default;

    // One entry per jid, in order; not_found for those unknown.
    virtual task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) = 0;
    virtual task<Result<ListPage>> list(ListRequest request) = 0;
    // The kept logs of a job's attempts, oldest first.
    virtual task<Result<std::vector<AttemptLog>>> logs(std::string jid) = 0;
    virtual task<Result<PlaceInLine>> place_in_line(std::string jid, std::string queue,
                                                    int priority) = 0;
};

}  // namespace jobq
