// JobMetrics: counters and histograms of what happens to jobs, told by the Broker.
//
// Must stay true: the number of series has a bound. The first kNames types and queues have series
// of their own, and of their pairs kPairs; all others share the name "other".
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "daemon/observe/metrics.h"
#include "daemon/observe/spread.h"

namespace jobq {

class JobMetrics {
  public:
    static constexpr size_t kNames = 200, kPairs = 1'000;
    static constexpr std::string_view kOther = "other";

    struct Failed {
        int64_t attempts = 0, died = 0;
    };

    using Failures = std::map<std::string, Failed, std::less<>>;  // by type

    explicit JobMetrics(Metrics& metrics);

    void enqueued(const std::string& queue, const std::string& type);
    void refused(std::string_view code);
    // wait_ms: since it was ready in its queue.
    void started(const std::string& queue, const std::string& type, int64_t wait_ms);
    // `outcome` and `reason` are words of closed sets. reason "": it did not go to the dead set.
    void ended(const std::string& queue, const std::string& type, std::string_view outcome,
               std::string_view reason, bool retried, int64_t ran_ms);
    // Without an attempt: damaged, say.
    void died(const std::string& queue, const std::string& type, std::string_view reason);
    void expired(const std::string& queue, const std::string& type);
    void leases_expired(size_t count);
    void leases_lost(size_t count);

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
