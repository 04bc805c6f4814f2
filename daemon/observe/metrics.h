// Metrics: what this process counts, in Prometheus's text format 0.0.4. Counters and histograms are
// kept by prometheus-cpp's registry; what others know already (queues, pools, Redis, the process)
// is asked at each scrape, and must be answered from memory.
//
// Must stay true: no label has a value from an unbounded set. Types and queues are bounded by
// JobMetrics, the others come from the code.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/async/reactor.h"
#include "core/async/task.h"
#include "daemon/observe/metric_table.h"

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace jobq {

using MetricLabels = std::map<std::string, std::string>;

class Metrics {
  public:
    // What one scrape is told by those who keep the figures.
    class Sheet {
      public:
        virtual ~Sheet() = default;
        virtual void set(Metric metric, double value, const MetricLabels& labels = {}) = 0;
    };

    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;

    // Made when they are first asked for; they live as long as this. The labels are those that the
    // table names.
    prometheus::Counter& counter(Metric metric, const MetricLabels& labels = {});
    prometheus::Histogram& histogram(Metric metric, const MetricLabels& labels = {});

    void on_scrape(std::function<void(Sheet&)> fill) { fill_ = std::move(fill); }

    // Families in the order of the table, series by their labels.
    std::string text() const;
    // The same, of a long one some at a time: the loop turns between.
    task<std::string> text_in_turns(Reactor& reactor) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::function<void(Sheet&)> fill_;
};

void add(prometheus::Counter& counter, double value = 1);
void observe(prometheus::Histogram& histogram, double value);

}  // namespace jobq
