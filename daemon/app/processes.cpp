#include "daemon/app/processes.h"

#include <utility>

namespace jobq {

// By wid, not by what it is now: one that was cut off for its silence and comes back is another
// Worker of the same process.
void Processes::watch(const std::shared_ptr<Worker>& worker, int64_t pid) {
    if (stopped_) return;
    worker->process = pid;
    Process& process = processes_[pid];
    process.wids.insert(worker->wid);
    if (process.watch) return;
    auto watch = PidWatch::watch(reactor_, pid, [this, pid] { ended(pid); });
    if (watch) {
        process.watch = std::move(*watch);
    } else if (watch.error().code == ErrorCode::not_found) {
        ended(pid);
    }
}

void Processes::ended(int64_t pid) {
    auto node = processes_.extract(pid);
    if (node.empty()) return;
    for (const auto& wid : node.mapped().wids) {
        auto worker = workers_.find(wid);
        if (worker && worker->process == pid && !worker->gone) upkeep_.worker_died(worker);
    }
}

task<void> Processes::stop(Ending) {
    stopped_ = true;
    processes_.clear();
    co_return;
}

}  // namespace jobq
