// RedisBatches: the BatchStore of RedisStore. What becomes of a batch when its jobs end is in the
// scripts that end jobs (lua/lib/ties.lua, batches.lua).
#pragma once

#include <string>
#include <vector>

#include "core/store/batch_store.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class RedisBatches : public virtual BatchStore {
  public:
    explicit RedisBatches(ScriptCaller& caller) : caller_(caller) {}

    task<Result<>> make_batch(BatchSpec spec) override;
    task<Result<>> open_batch(std::string bid, bool open) override;
    task<Result<BatchView>> batch(std::string bid) override;
    task<Result<bool>> track(ProgressUpdate update) override;
    task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) override;

  private:
    ScriptCaller& caller_;
};

}  // namespace jobq
