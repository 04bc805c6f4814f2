// Starting one job of an exec pool; see exec_pool.h. What can't be started is reported at once.
// Must stay true: a job that was taken is in the run table or with the reporter, never in neither.
#include "daemon/runner/exec_pool.h"

#include "daemon/runner/launch.h"
#include "daemon/runner/process_job.h"

namespace jobq {

void ExecPool::start(TakenJob job) {
    const TypeSpec* type = hub_.type(job.type);
    auto launch = launch_of(job, type, hub_.run_allowed);
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
        runs_.add(std::move(run), spec_.name);
        if (hub_.options.on_start) hub_.options.on_start(job);
    } else {
        not_started(job, started.error());
    }
}

}  // namespace jobq
