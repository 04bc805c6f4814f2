// RedisFigures: the StoreFigures of RedisStore. The scripts that move jobs into and out of retrying
// and dead keep the counts by cause (lua/lib/failed.lua); what to count a job under comes with the
// move.
#pragma once

#include "core/store/link/script_caller.h"
#include "core/store/store_figures.h"

namespace jobq {

class RedisFigures : public virtual StoreFigures {
  public:
    explicit RedisFigures(ScriptCaller& caller) : caller_(caller) {}

    task<Result<StoreStats>> stats() override;
    task<Result<QueuePage>> queue_page(QueueRequest request) override;
    task<Result<FailedGroups>> failed_groups() override;

  private:
    ScriptCaller& caller_;
};

}  // namespace jobq
