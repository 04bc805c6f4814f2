// HintsPart: hints of other daemons on the same store, where there may be any.
#pragma once

#include <memory>

#include "daemon/app/broker_part.h"
#include "daemon/redis/hints.h"

namespace jobq {

class HintsPart final : public Part {
  public:
    HintsPart(UvReactor& reactor, const ConfigPtr& config, RedisPart& redis, StorePart& store,
              BrokerPart& broker)
        : reactor_(reactor), config_(config), redis_(redis), store_(store), broker_(broker) {}

    task<Result<>> start() override;
    task<void> stop(Ending ending) override;

  private:
    UvReactor& reactor_;
    const ConfigPtr& config_;
    RedisPart& redis_;
    StorePart& store_;
    BrokerPart& broker_;
    std::unique_ptr<HintListener> hints_;
};

}  // namespace jobq
