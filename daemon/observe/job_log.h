// JobLog: what happens to jobs as lines of the log.
#pragma once

#include "daemon/observe/job_observer.h"
#include "daemon/observe/trace_names.h"

namespace jobq {

class JobLog final : public JobObserver {
  public:
    explicit JobLog(const TraceNames& traces) : traces_(traces) {}

    bool reads_enqueued() override;
    void enqueued(const EnqueuedJob& what) override;
    void imported(int64_t jobs) override;
    void started(const StartedJob& what) override;
    void ended(const EndedJob& what) override;
    void buried(const BuriedJob& what) override;
    void cancelled(const CancelledJob& what) override;
    void released(const std::string& jid) override;
    void paused(const std::string& queue, bool paused) override;
    void flushed() override;

  private:
    const TraceNames& traces_;
};

}  // namespace jobq
