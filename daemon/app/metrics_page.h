// MetricsPage: what /metrics answers: the counters, and what is asked of the parts at each scrape,
// from memory. While it lives it also counts what is contained (core/async/contain.h).
#pragma once

#include <string>

#include "core/async/one_answer.h"
#include "daemon/app/shown_parts.h"
#include "daemon/app/webhooks_part.h"
#include "daemon/server/views.h"

namespace jobq {

class MetricsPage final : public MetricsText {
  public:
    MetricsPage(UvReactor& reactor, const ShownParts& shown, Metrics& metrics,
                const WebhooksPart& webhooks);
    ~MetricsPage() override;

    // Requires: the parts have started.
    task<std::string> text() override;

  private:
    task<Result<std::string>> render();
    void fill(Metrics::Sheet& sheet);

    UvReactor& reactor_;
    const ShownParts shown_;
    Metrics& metrics_;
    const WebhooksPart& webhooks_;
    OneAnswer<std::string> one_text_;
};

}  // namespace jobq
