// WebhookNews: who is told of the ends of jobs. The news is a job of its own (type jobq.webhook),
// made here and stored in the step that ends the job it tells of, so that neither is without the
// other. WebhookPool delivers it.
#pragma once

#include <memory>
#include <string_view>

#include "core/async/reactor.h"
#include "core/base/id.h"
#include "core/job/decide.h"
#include "daemon/broker/current_config.h"

namespace jobq {

class WebhookNews {
  public:
    WebhookNews(Reactor& reactor, const CurrentConfig& config, IdMaker& ids)
        : reactor_(reactor), config_(config), ids_(ids) {}

    // For the webhook of the job or of its type; null when there is none that wants it.
    std::shared_ptr<Job> of(std::string_view event, const Job& job, const RunReport& report,
                            const Transition& next);

  private:
    Reactor& reactor_;
    const CurrentConfig& config_;
    IdMaker& ids_;
};

}  // namespace jobq
