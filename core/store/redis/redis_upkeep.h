// RedisUpkeep: the StoreUpkeep of RedisStore.
#pragma once

#include <memory>
#include <string>

#include "core/job/state.h"
#include "core/store/job_reader.h"
#include "core/store/link/script_caller.h"
#include "core/store/store_upkeep.h"

namespace jobq {

class RedisUpkeep : public virtual StoreUpkeep {
  public:
    RedisUpkeep(ScriptCaller& caller, JobReader& jobs) : caller_(caller), jobs_(jobs) {}

    task<Result<Promoted>> promote(int64_t now_ms, int limit) override;
    task<Result<>> purge(int64_t now_ms) override;
    task<Result<bool>> count_failed() override;
    std::unique_ptr<Checkup> checkup(bool fix) override;

  private:
    ScriptCaller& caller_;
    JobReader& jobs_;
    // How far count_failed() is.
    State count_state_ = State::retrying;
    std::string count_cursor_;
};

}  // namespace jobq
