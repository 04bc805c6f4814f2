// Starting one job of an exec pool; see exec_pool.h. What can't be started is reported at once.
// Must stay true: a job that was taken is in the run table or with the reporter, never in neither.
#include "daemon/runner/exec_pool.h"

#include <algorithm>

#include "daemon/runner/process_job.h"

namespace jobq {
namespace {

constexpr int64_t kWrittenMs = 5'000;  // a program that is being installed is waited for
constexpr size_t kWrittenMost = 100;

}  // namespace

void ExecPool::start(TakenJob job) {
    const TypeSpec* type = hub_.type(job.type);
    auto launch = launch_of(job, type, hub_.run_allowed, hub_.options.endpoint);
    if (!launch) {
        // The configuration changed while it waited for a slot: jobqd knows what becomes of it.
        const ErrorCode code = launch.error().code;
        const bool refused = code == ErrorCode::not_found || code == ErrorCode::forbidden;
        if (refused && !hub_.options.local) {
            give_back({std::move(job)}, launch.error().text);
        } else {
            not_started(job, launch.error());
        }
        return;
    }
    TypeSpec own;
    if (type != nullptr) own = *type;
    auto run =
        std::make_unique<ProcessJob>(hub_.reactor, hub_.sweeper, job, std::move(own), events_);
    auto started = run->start(*launch);
    if (started) {
        if (!written_.empty()) written_.erase(launch->plan.argv.front());
        runs_.add(std::move(run), spec_.name);
        if (hub_.options.on_start) hub_.options.on_start(job);
    } else {
        refused(job, *launch, started.error());
    }
}

void ExecPool::refused(const TakenJob& job, const Launch& launch, Error error) {
    const auto& argv = launch.plan.argv;
    if (error.code == ErrorCode::too_large && !launch.standard_input.empty() &&
        std::find(argv.begin() + 1, argv.end(), launch.standard_input) != argv.end())
        error.text += "; pass the payload on stdin instead of {payload}";
    if (error.code == ErrorCode::conflict) {
        const int64_t now = hub_.reactor.now_ms();
        if (written_.size() >= kWrittenMost) written_.clear();
        const auto since = written_.emplace(argv.front(), now).first;
        if (now - since->second < kWrittenMs) {
            error.code = ErrorCode::busy;
        } else {
            written_.erase(since);
        }
    }
    not_started(job, error);
}

}  // namespace jobq
