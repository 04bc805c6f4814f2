// SpanExporter: sends what the Tracer has to a collector, one request at a time: when kBatch spans
// wait, or kPauseMs after the first. What is refused for now is tried again, with a growing pause
// or when the collector says, for kGiveUpMs; then those spans are dropped and the next have their
// turn.
//
// Must stay true: a collector that is away, slow or hangs costs one request's memory and the
// Tracer's bounded queue, and no job ever waits for it. Loop thread only.
#pragma once

#include <string>

#include "core/async/gate.h"
#include "core/base/rng.h"
#include "daemon/observe/otlp.h"
#include "daemon/observe/tracer.h"

namespace jobq {

// POST of JSON to the collector; ends within `limit_ms`.
class SpanSender {
  public:
    virtual ~SpanSender() = default;
    virtual task<CollectorAnswer> send(std::string body, int64_t limit_ms) = 0;
    // Ends what is being sent, now.
    virtual void give_up() = 0;
};

class SpanExporter {
  public:
    static constexpr size_t kBatch = 512;
    static constexpr int64_t kPauseMs = 5'000;
    static constexpr int64_t kRequestMs = 10'000, kGiveUpMs = 60'000;
    static constexpr int64_t kBackoffMinMs = 500, kBackoffMaxMs = 15'000;
    static constexpr int64_t kStopMs = 2'000;       // what is left is sent within, or dropped
    static constexpr int64_t kComplainMs = 60'000;  // one line of the log in so long

    SpanExporter(Reactor& reactor, Tracer& tracer, SpanSender& sender, TraceResource resource);

    void start();
    // Sends what waits, once.
    task<void> stop();

    // The collector's name in the log.
    void set_where(std::string where) { where_ = std::move(where); }

  private:
    task<void> run();
    task<void> deliver(std::vector<Span> spans);
    // Waits before another try; false: not another one.
    task<bool> pause(int64_t began_ms, int64_t pause_ms);
    int64_t left_ms() const;
    void complain(const std::string& why, size_t lost);

    Reactor& reactor_;
    Tracer& tracer_;
    SpanSender& sender_;
    const TraceResource resource_;
    std::string where_;
    Rng rng_;
    bool stopping_ = false;
    int64_t stop_by_ms_ = 0;
    int64_t complained_ms_ = -kComplainMs;
    size_t lost_ = 0;  // since the last complaint
    Signal stir_;
    Gate gate_;
};

}  // namespace jobq
