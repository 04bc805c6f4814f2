// Tracer: the spans of jobs, made when their end is known, and kept until they are sent. As a
// JobObserver it hears what happens; SpanExporter takes what it has. While it is off nothing is
// made.
//
//   enqueue  (producer)   from the request to "stored"; child of the caller's span, or a root
//     wait   (internal)   from ready in its queue to the start of an attempt
//       run  (consumer)   the attempt
//
// wait and run are made together at the end of the attempt: what was taken and given back unstarted
// leaves no trace, and a jobqd that ends between start and end loses nothing.
//
// Must stay true: no more than kSpans wait here, whatever the collector does. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/async/reactor.h"
#include "core/job/decide.h"
#include "core/job/job.h"
#include "daemon/observe/job_observer.h"
#include "daemon/observe/metrics.h"
#include "daemon/observe/span.h"
#include "daemon/observe/trace_names.h"

namespace jobq {

// Why spans were not sent: the label of a metric.
enum class SpanDrop : uint8_t { queue_full, collector, rejected, stopped };

class Tracer final : public TraceNames, public JobObserver {
  public:
    static constexpr size_t kSpans = 2'048;

    Tracer(Reactor& reactor, Metrics& metrics);

    void turn(bool on) { on_ = on; }

    // Of traces that begin here, such a part is kept.
    void set_ratio(double ratio) { ratio_ = ratio; }

    // Called when there is something to take.
    void on_span(std::function<void()> fn) { on_span_ = std::move(fn); }

    // An attempt is told of its own run span.
    std::string traceparent_of(const Job& job, const JobRecord& record,
                               int64_t leased_ms) const override;
    // When there will be spans of it.
    std::string trace_id_of(const Job& job) const override;

    bool reads_enqueued() override { return on_; }

    void enqueued(const EnqueuedJob& what) override;
    void ended(const EndedJob& end) override;

    size_t waiting() const { return spans_.size(); }

    // The oldest, at most so many.
    std::vector<Span> take(size_t most);
    void sent(size_t count);
    void dropped(SpanDrop why, size_t count);
    void failed();

  private:
    // What trace a job is in.
    struct Belongs {
        TraceId trace{};
        std::optional<SpanId> caller;
        bool kept = false;
    };

    Belongs belongs(const Job& job) const;
    void put_enqueue(const Job& job);
    void put_attempt(const EndedJob& end);
    // False: so many more would be too many. They are counted.
    bool has_room(size_t spans);
    void put(Span span);
    Span start_of(const Job& job, const Belongs& to, const char* operation) const;
    Span run_of(const EndedJob& end, const Belongs& to, int64_t start_us) const;

    Reactor& reactor_;
    Metrics& metrics_;
    prometheus::Counter &exported_, &failures_;
    bool on_ = true;
    double ratio_ = 1;
    std::deque<Span> spans_;
    std::function<void()> on_span_;
};

}  // namespace jobq
