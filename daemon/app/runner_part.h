// RunnerPart: the runner of this daemon: started when the configuration has work for it, and ended
// or left at the end, whether this process has started it or found it.
#pragma once

#include <memory>
#include <string>

#include "daemon/app/state_files.h"
#include "daemon/app/upkeep.h"
#include "daemon/server/views.h"
#include "daemon/work/runner_keeper.h"

namespace jobq {

class RunnerPart final : public Part, public RunnerView {
  public:
    RunnerPart(UvReactor& reactor, const ConfigPtr& config, StateFiles& files, Workers& workers,
               Upkeep& upkeep);

    task<Result<>> start() override;
    task<void> reload() override;
    task<void> drain(Ending ending) override;
    void hurry() override;

    std::string wid() override;

    bool is_outdated() const override { return keeper_ && keeper_->is_outdated(); }

  private:
    RunnerKeeper::Settings settings() const;
    void start_if_needed();
    void find_left(const Ending& ending);

    UvReactor& reactor_;
    const ConfigPtr& config_;
    StateFiles& files_;
    Workers& workers_;
    Upkeep& upkeep_;
    std::unique_ptr<RunnerKeeper> keeper_;
    bool wanted_;  // its name is in use
    bool stopping_ = false;
};

}  // namespace jobq
