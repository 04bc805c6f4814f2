// App: the runner it starts, and an eye on the processes of local workers.
#include <algorithm>

#include "core/base/file.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/job/job.h"
#include "daemon/app.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kNodeIdBytes = 16;

}  // namespace

// A name for this state directory that its runners keep over restarts.
std::string App::node_id() {
    if (!node_id_.empty()) return node_id_;
    const std::string path = places_.state_dir + "/node-id";
    if (auto file = read_small_file(path, kNodeIdBytes + 1))
        node_id_ = std::string(trim(file->text));
    if (node_id_.size() == kNodeIdBytes && is_name(node_id_)) return node_id_;
    uint64_t random = random_u64();
    node_id_ = hex({reinterpret_cast<const char*>(&random), sizeof random});
    if (auto kept = write_small_file(path, node_id_ + "\n"); !kept)
        log(LogLevel::error, "state.not_kept",
            kept.error().text + "; jobqd will not find its runner after a restart");
    return node_id_;
}

RunnerKeeper::Settings App::runner_settings() const {
    RunnerKeeper::Settings settings;
    settings.program = own_program();
    settings.state_dir = places_.state_dir;
    settings.endpoint = "unix:" + places_.unix_path;
    settings.stop_timeout_ms = config_->stop_timeout_ms;
    settings.longest_grace_ms = [this] {
        int64_t longest = 0;
        for (const auto& [name, type] : config_->types)
            longest = std::max(longest, type.grace_ms);
        return longest;
    };
    return settings;
}

// A stop that comes before a start has looked for it means it all the same: a jobqd that was
// replaced, or killed, has left it here.
void App::find_left_runner() {
    if (runner_ || restarts_ || !config_->runner || config_->keep_runner) return;
    auto left = std::make_unique<RunnerKeeper>(reactor_, runner_settings(), [] {});
    if (left->find()) runner_ = std::move(left);
}

void App::start_runner() {
    if (context_->runner_wid.empty()) context_->runner_wid = "runner-" + node_id();
    if (!config_->runner) return;
    RunnerKeeper::Settings settings = runner_settings();
    settings.wid = context_->runner_wid;
    runner_ = std::make_unique<RunnerKeeper>(reactor_, std::move(settings), [this] {
        if (auto worker = workers_.find(context_->runner_wid)) chores_->worker_died(worker);
    });
    runner_->start();
}

// By wid, not by what it is now: one that was cut off for its silence and comes back is another
// Worker of the same process.
void App::watch_process(const std::shared_ptr<Worker>& worker, int64_t pid) {
    worker->process = pid;
    Process& process = processes_[pid];
    process.wids.insert(worker->wid);
    if (process.watch) return;
    auto watch = PidWatch::watch(reactor_, pid, [this, pid] { process_ended(pid); });
    if (watch) {
        process.watch = std::move(*watch);
    } else if (watch.error().code == ErrorCode::not_found) {
        process_ended(pid);
    }
}

void App::process_ended(int64_t pid) {
    auto node = processes_.extract(pid);
    if (node.empty()) return;
    for (const auto& wid : node.mapped().wids) {
        auto worker = workers_.find(wid);
        if (worker && worker->process == pid && !worker->gone) chores_->worker_died(worker);
    }
}

}  // namespace jobq
