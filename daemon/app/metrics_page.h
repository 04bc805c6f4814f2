// MetricsPage: what /metrics answers: the counters, and what is asked of the parts at each scrape,
// from memory. While it lives it also counts what is contained (core/async/contain.h).
#pragma once

#include <string>

#include "core/async/one_answer.h"
#include "daemon/app/upkeep.h"
#include "daemon/app/webhooks_part.h"
#include "daemon/server/pool_table.h"
#include "daemon/server/views.h"

namespace jobq {

class MetricsPage final : public MetricsText {
  public:
    // Where the figures are.
    struct Figures {
        Metrics& metrics;
        const Workers& workers;
        const Counters& counters;
        const DaemonStatus& status;
        const RedisPart& redis;
        BrokerPart& broker;
        Upkeep& upkeep;
        const PoolTable& pools;
        const WebhooksPart& webhooks;
    };

    MetricsPage(UvReactor& reactor, const Figures& figures);
    ~MetricsPage() override;

    // Requires: the parts have started.
    task<std::string> text() override;

  private:
    task<Result<std::string>> render();
    void fill(Metrics::Sheet& sheet);

    UvReactor& reactor_;
    const Figures figures_;
    OneAnswer<std::string> one_text_;
};

}  // namespace jobq
