// Journal: tells all observers what happened to jobs, with one call at the place where it happened.
// What each of them makes of it (a counter, a span, an event, a line of the log) is its own affair.
//
// Must stay true: each hears everything, in the order in which it happened.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/observe/job_observer.h"

namespace jobq {

class Journal final : public JobObserver {
  public:
    // They outlive it.
    explicit Journal(std::vector<JobObserver*> observers) : observers_(std::move(observers)) {}

    bool reads_enqueued() override;
    void enqueued(const EnqueuedJob& what) override;
    void refused(ErrorCode why) override;
    void imported(int64_t jobs) override;
    void started(const StartedJob& what) override;
    void ended(const EndedJob& what) override;
    void buried(const BuriedJob& what) override;
    void expired(const Job& job) override;
    void cancelled(const CancelledJob& what) override;
    void released(const std::string& jid) override;
    void paused(const std::string& queue, bool paused) override;
    void flushed() override;
    void leases_lost(size_t count) override;
    void leases_expired(size_t count) override;

  private:
    std::vector<JobObserver*> observers_;
};

}  // namespace jobq
