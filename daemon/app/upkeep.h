// Upkeep: what looks after jobs besides those who ask: what earlier processes left behind, the
// chores, the watchdog, the sampler, and the ends of jobs that the store has not taken yet.
#pragma once

#include <memory>

#include "daemon/app/broker_part.h"
#include "daemon/chores/chores.h"
#include "daemon/chores/sampler.h"
#include "daemon/chores/watchdog.h"
#include "daemon/observe/counters.h"

namespace jobq {

class Upkeep final : public Part {
  public:
    Upkeep(UvReactor& reactor, const ConfigPtr& config, RedisPart& redis, StorePart& store,
           BrokerPart& broker, Counters& counters)
        : reactor_(reactor),
          config_(config),
          redis_(redis),
          store_(store),
          broker_(broker),
          counters_(counters) {}

    task<Result<>> start() override;
    task<void> drain(Ending ending) override;
    task<void> stop(Ending ending) override;

    // Both from start() on. A worker's process is known dead.
    void worker_died(const std::shared_ptr<Worker>& worker) { chores_->worker_died(worker); }

    Sampler& sampler() { return *sampler_; }

  private:
    UvReactor& reactor_;
    const ConfigPtr& config_;
    RedisPart& redis_;
    StorePart& store_;
    BrokerPart& broker_;
    Counters& counters_;
    std::unique_ptr<Chores> chores_;
    std::unique_ptr<Watchdog> watchdog_;
    std::unique_ptr<Sampler> sampler_;
    bool stopping_ = false;
};

}  // namespace jobq
