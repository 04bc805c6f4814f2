// RedisControl: the ControlStore of RedisStore. The envelope never changes, so a record made from a
// read is still right when the script, which checks the place again, runs. Of many jobs so many as
// a script takes are read and changed at a time: what was done before an error stays done.
#pragma once

#include <string>
#include <vector>

#include "core/store/control_store.h"
#include "core/store/job_reader.h"
#include "core/store/link/script_caller.h"
#include "core/store/store_figures.h"

namespace jobq {

class RedisControl : public virtual ControlStore {
  public:
    RedisControl(ScriptCaller& caller, JobReader& jobs, StoreFigures& figures)
        : caller_(caller), jobs_(jobs), figures_(figures) {}

    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                bool revive) override;
    task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) override;
    task<Result<>> pause(std::vector<std::string> queues, bool paused) override;
    task<Result<int64_t>> clear(std::string queue, bool forget) override;
    task<Result<>> flush() override;

  private:
    // Requires of these: at most limits::kScriptActs jobs.
    task<Result<std::vector<Result<Cancelled>>>> cancel_part(std::vector<std::string> jids);
    task<Result<std::vector<Result<>>>> requeue_part(std::vector<std::string> jids, bool revive);
    task<Result<std::vector<Result<>>>> kill_part(std::vector<std::string> jids);

    ScriptCaller& caller_;
    JobReader& jobs_;
    StoreFigures& figures_;
};

}  // namespace jobq
