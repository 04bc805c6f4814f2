// JobMetrics: counters and histograms of what happens to jobs.
//
// Must stay true: the number of series has a bound. The first kNames types and queues have series
// of their own, and of their pairs kPairs; all others share the name "other".
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "daemon/observe/job_observer.h"
#include "daemon/observe/metrics.h"
#include "daemon/observe/spread.h"

namespace jobq {

class JobMetrics final : public JobObserver {
  public:
    static constexpr size_t kNames = 200, kPairs = 1'000;
    static constexpr std::string_view kOther = "other";

    struct Failed {
        int64_t attempts = 0, died = 0;
    };

    using Failures = std::map<std::string, Failed, std::less<>>;  // by type

    explicit JobMetrics(Metrics& metrics);

    void enqueued(const EnqueuedJob& what) override;
    void refused(ErrorCode why) override;
    void started(const StartedJob& what) override;
    void ended(const EndedJob& what) override;
    void buried(const BuriedJob& what) override;
    void expired(const Job& job) override;
    void leases_expired(size_t count) override;
    void leases_lost(size_t count) override;

    // Since the start.
    const Failures& failures() const { return failures_; }

    // Since they were last cleared, by the one who charts them.
    Spread& recent_wait() { return recent_wait_; }

    Spread& recent_run() { return recent_run_; }

  private:
    struct Series {
        std::string queue, type;  // as they are labelled
        prometheus::Counter *enqueued = nullptr, *started = nullptr, *retried = nullptr;
        prometheus::Histogram *wait = nullptr, *duration = nullptr;
        std::map<std::string, prometheus::Counter*, std::less<>> finished;  // by outcome
    };

    Series& of(const std::string& queue, const std::string& type);
    MetricLabels labels(const Series& series) const;
    // `reason` is a word of a closed set.
    void died(const std::string& queue, const std::string& type, std::string_view reason);

    Metrics& metrics_;
    // There from the start: an alert that adds two counters must not miss one of them.
    prometheus::Counter &leases_expired_, &leases_lost_;
    Failures failures_;
    Spread recent_wait_, recent_run_;
    std::set<std::string, std::less<>> types_, queues_;
    std::map<std::pair<std::string, std::string>, Series> series_;
    // Jobs that come together are mostly alike.
    std::string last_queue_, last_type_;
    Series* last_ = nullptr;
};

}  // namespace jobq
