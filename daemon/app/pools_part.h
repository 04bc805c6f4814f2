// PoolsPart: the thread pools of the configuration. At a reload those that are no more, or others
// now, end all at once; the new ones start when they have.
//
// Must stay true: each pool is in pools_ or in leaving_ until its end, so that a stop knows of all.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/app/broker_part.h"
#include "daemon/work/thread_pool.h"

namespace jobq {

class PoolsPart final : public Part {
  public:
    PoolsPart(UvReactor& reactor, const ConfigPtr& config, BrokerPart& broker)
        : reactor_(reactor), config_(config), broker_(broker) {}

    task<Result<>> start() override;
    task<void> reload() override;
    task<void> drain(Ending ending) override;
    void hurry() override;

  private:
    using Pool = std::shared_ptr<ThreadPool>;

    void make_pools();
    static task<void> end_pool(Pool pool, int64_t limit_ms);

    UvReactor& reactor_;
    const ConfigPtr& config_;
    BrokerPart& broker_;
    std::map<std::string, Pool> pools_;
    std::vector<Pool> leaving_;  // a reload waits for their end
    bool stopping_ = false;
};

}  // namespace jobq
