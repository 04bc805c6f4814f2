// BrokerPart: the Broker on the store, from before its first call to after its last.
#pragma once

#include <memory>
#include <utility>

#include "daemon/app/options.h"
#include "daemon/app/store_part.h"
#include "daemon/broker/broker.h"
#include "daemon/observe/job_metrics.h"
#include "daemon/observe/tracer.h"

namespace jobq {

class BrokerPart final : public Part {
  public:
    BrokerPart(UvReactor& reactor, const Places& places, const ConfigPtr& config, RedisPart& redis,
               StorePart& store, DaemonStatus& status, Events& events, Workers& workers,
               JobMetrics& metrics, Tracer& tracer, HandlerKnown handler_known)
        : reactor_(reactor),
          places_(places),
          config_(config),
          redis_(redis),
          store_(store),
          status_(status),
          events_(events),
          workers_(workers),
          metrics_(metrics),
          tracer_(tracer),
          handler_known_(std::move(handler_known)) {}

    task<Result<>> start() override;
    task<void> reload() override;
    task<void> drain(Ending ending) override;

    // From start() on.
    Broker& broker() { return *broker_; }

    Workers& workers() { return workers_; }

  private:
    UvReactor& reactor_;
    const Places& places_;
    const ConfigPtr& config_;
    RedisPart& redis_;
    StorePart& store_;
    DaemonStatus& status_;
    Events& events_;
    Workers& workers_;
    JobMetrics& metrics_;
    Tracer& tracer_;
    const HandlerKnown handler_known_;
    std::unique_ptr<Broker> broker_;
};

}  // namespace jobq
