// StoreUpkeep: what must be done now and then, whoever asks for nothing. Called by the chores, and
// for `jobq doctor`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/store/checkup.h"

namespace jobq {

struct Promoted {
    std::map<std::string, int> queues;  // how many became ready, by queue
    int64_t next_due_ms = 0;            // of what still waits; 0: nothing
    bool more = false;                  // the limit cut it: call again
};

class StoreUpkeep {
  public:
    virtual ~StoreUpkeep() = default;

    // Due scheduled and retrying jobs become ready, oldest first.
    virtual task<Result<Promoted>> promote(int64_t now_ms, int limit) = 0;
    // Drops records, logs, keys and dead jobs whose time is over.
    virtual task<Result<>> purge(int64_t now_ms) = 0;
    // Counts some failed jobs that were stored by a jobqd that did not. True: there may be more.
    virtual task<Result<bool>> count_failed() = 0;
    // A look at everything that is stored, for what does not fit together; with `fix` it is
    // repaired. The store outlives it.
    virtual std::unique_ptr<Checkup> checkup(bool fix) = 0;
};

}  // namespace jobq
