// JobTotals: how many jobs came in and ended since the start, for stats.
#pragma once

#include "daemon/observe/job_observer.h"

namespace jobq {

class JobTotals final : public JobObserver {
  public:
    void enqueued(const EnqueuedJob&) override { ++enqueued_; }

    void imported(int64_t jobs) override { enqueued_ += jobs; }

    void ended(const EndedJob&) override { ++finished_; }

    int64_t enqueued() const { return enqueued_; }

    int64_t finished() const { return finished_; }

  private:
    int64_t enqueued_ = 0, finished_ = 0;
};

}  // namespace jobq
