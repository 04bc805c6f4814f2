// LivePage: what the dashboard shows each second, from memory: the Sampler's look at the store, the
// counters, and what the parts say of themselves. Who looks reads its feed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "daemon/app/upkeep.h"
#include "daemon/observe/live_feed.h"
#include "daemon/server/pool_table.h"

namespace jobq {

class LivePage final : public Part {
  public:
    // Where the figures are.
    struct Figures {
        JobMetrics& jobs;
        const Workers& workers;
        const Counters& counters;
        const DaemonStatus& status;
        const RedisPart& redis;
        BrokerPart& broker;
        Upkeep& upkeep;
        const PoolTable& pools;
    };

    LivePage(UvReactor& reactor, const Config& config, const Figures& figures);

    task<void> stop(Ending ending) override;

    LiveFeed& feed() { return feed_; }

  private:
    LiveFeed make_feed(const Config& config);
    void wake();
    LiveSample take();
    void measure_rates(const StoreSample& sample);

    UvReactor& reactor_;
    const Figures figures_;
    LiveFeed feed_;
    int64_t rated_ms_ = 0;  // monotonic: when the totals were sampled that rates_ go up to
    StoreStats rated_;
    std::array<std::optional<double>, 3> rates_{};  // enqueued, succeeded, failed a second
};

}  // namespace jobq
