// LivePage: what the dashboard shows each second, from memory: the Sampler's look at the store, the
// counters, and what the parts say of themselves. Who looks reads its feed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "daemon/app/shown_parts.h"
#include "daemon/observe/live_feed.h"

namespace jobq {

class LivePage final : public Part {
  public:
    LivePage(UvReactor& reactor, const Config& config, const ShownParts& shown, JobMetrics& jobs);

    task<void> stop(Ending ending) override;

    LiveFeed& feed() { return feed_; }

  private:
    LiveFeed make_feed(const Config& config);
    void wake();
    LiveSample take();
    void measure_rates(const StoreSample& sample);

    UvReactor& reactor_;
    const ShownParts shown_;
    JobMetrics& jobs_;
    LiveFeed feed_;
    int64_t rated_ms_ = 0;  // monotonic: when the totals were sampled that rates_ go up to
    StoreStats rated_;
    std::array<std::optional<double>, 3> rates_{};  // enqueued, succeeded, failed a second
};

}  // namespace jobq
