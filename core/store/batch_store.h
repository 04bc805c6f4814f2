// BatchStore: batches and progress as the store sees them: Faktory Enterprise's, see the Faktory
// Work Protocol 2, section 10. Called for the verbs BATCH and TRACK; leases ask for progress too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/job/job.h"

namespace jobq {

// A batch to be made. It is open until it is committed; then `complete` is enqueued once each of
// its jobs has been run, `success` after that once each has succeeded, its child batches included.
struct BatchSpec {
    std::string bid, parent, description;
    std::optional<Job> complete, success;
};

// "" not due (or none was given), "1" enqueued, "2" it succeeded: Faktory's own words.
struct BatchView {
    std::string bid, parent, description;
    int64_t created_ms = 0;
    int64_t total = 0;    // jobs of its own, not of child batches
    int64_t pending = 0;  // of them not run yet
    int64_t failed = 0;   // of them run, but not successfully so far
    bool open = true;
    std::string complete_state, success_state;

    bool operator==(const BatchView&) const = default;
};

struct ProgressUpdate {
    std::string jid;
    std::optional<int64_t> percent;
    std::optional<std::string> description;
    int64_t lease_until_ms = 0;  // wall clock; 0: as it is
};

struct Progress {
    bool tracked = false;
    std::optional<int64_t> percent;
    std::string description;
    std::string end;         // of a job that is over: success, failed or dead
    int64_t updated_ms = 0;  // 0: never
    int64_t lease_until_ms = 0;

    bool operator==(const Progress&) const = default;
};

class BatchStore {
  public:
    virtual ~BatchStore() = default;

    // not_found: no such parent. Requires: a bid that was never used.
    virtual task<Result<>> make_batch(BatchSpec spec) = 0;
    // Closes a batch, so that its callbacks may be enqueued, or opens it again. not_found.
    virtual task<Result<>> open_batch(std::string bid, bool open) = 0;
    virtual task<Result<BatchView>> batch(std::string bid) = 0;
    // False when the job is not tracked: nothing is noted then.
    virtual task<Result<bool>> track(ProgressUpdate update) = 0;
    virtual task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) = 0;
};

}  // namespace jobq
