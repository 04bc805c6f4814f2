#include "daemon/app/runner_part.h"

#include <algorithm>
#include <utility>

#include "daemon/app/own_program.h"
#include "daemon/server/assignment.h"

namespace jobq {

RunnerPart::RunnerPart(UvReactor& reactor, const ConfigPtr& config, StateFiles& files,
                       Workers& workers, Upkeep& upkeep)
    : reactor_(reactor),
      config_(config),
      files_(files),
      workers_(workers),
      upkeep_(upkeep),
      wanted_(needs_runner(*config)) {}

std::string RunnerPart::wid() {
    return wanted_ ? "runner-" + files_.node_id() : "";
}

RunnerKeeper::Settings RunnerPart::settings() const {
    RunnerKeeper::Settings settings;
    settings.program = own_program();
    settings.state_dir = files_.places().state_dir;
    settings.endpoint = "unix:" + files_.places().unix_path;
    settings.stop_timeout_ms = config_->stop_timeout_ms;
    settings.longest_grace_ms = [this] {
        int64_t longest = 0;
        for (const auto& [name, type] : config_->types)
            longest = std::max(longest, type.grace_ms);
        return longest;
    };
    return settings;
}

void RunnerPart::start_if_needed() {
    if (stopping_ || keeper_ || !needs_runner(*config_)) return;
    wanted_ = true;
    if (!config_->runner) return;
    RunnerKeeper::Settings with_name = settings();
    with_name.wid = wid();
    keeper_ = std::make_unique<RunnerKeeper>(reactor_, std::move(with_name), [this] {
        if (auto worker = workers_.find(wid())) upkeep_.worker_died(worker);
    });
    keeper_->start();
}

task<Result<>> RunnerPart::start() {
    start_if_needed();
    co_return Result<>{};
}

task<void> RunnerPart::reload() {
    start_if_needed();
    co_return;
}

// A stop that comes before the start has looked for it means it all the same: a jobqd that was
// replaced, or killed, has left it here.
void RunnerPart::find_left(const Ending& ending) {
    if (keeper_ || !ending.unstarted || ending.restarts) return;
    if (!config_->runner || config_->keep_runner) return;
    auto left = std::make_unique<RunnerKeeper>(reactor_, settings(), [] {});
    if (left->find()) keeper_ = std::move(left);
}

// The runner is told by a signal alone; a notice beside it would be the second stop, which hurries.
task<void> RunnerPart::drain(Ending ending) {
    if (std::exchange(stopping_, true)) co_return;
    find_left(ending);
    if (!keeper_) co_return;
    if (ending.restarts || config_->keep_runner) {
        keeper_->leave();
    } else {
        co_await keeper_->stop();
    }
}

void RunnerPart::hurry() {
    if (keeper_ && !config_->keep_runner) keeper_->hurry();
}

}  // namespace jobq
