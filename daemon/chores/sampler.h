// Sampler: what the store holds, looked at now and then, so that a scrape of /metrics and the
// dashboard cost the store the same however many look. Made by the app.
//
// Must stay true: while nobody looks it does nothing. A look lasts kWantedMs; the first one after a
// pause sees an old sample, whose age it is told.
#pragma once

#include <vector>

#include "core/async/gate.h"
#include "daemon/broker/broker.h"

namespace jobq {

struct StoreSample {
    int64_t taken_ms = 0;  // monotonic; 0: never
    StoreStats stats;
    // With the age of their next job. Of more than kQueues those that have jobs or are paused, as
    // far as they have been met: each sample looks at another page of the names.
    std::vector<QueueInfo> queues;
    int64_t queues_total = 0;
};

class Sampler {
  public:
    static constexpr int64_t kWantedMs = 5 * 60'000;
    static constexpr size_t kQueues = 500;

    Sampler(Reactor& reactor, Broker& broker);

    // Takes the first sample. Only when somebody may ever look: where HTTP is served.
    void start();
    task<void> stop();

    // The last sample; there will be new ones for a while.
    const StoreSample& look();

  private:
    task<void> run();
    task<void> take();
    task<Result<>> look_at_queues(StoreSample& sample);

    Reactor& reactor_;
    Broker& broker_;
    StoreSample last_;
    std::string after_;  // names up to this one have been looked at, this round
    int64_t wanted_until_ms_ = 0;
    bool stopping_ = false;
    Signal wanted_;
    Gate gate_;
};

}  // namespace jobq
