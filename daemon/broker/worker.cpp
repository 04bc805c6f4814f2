#include "daemon/broker/worker.h"

namespace jobq {

std::string_view name(WorkerKind kind) {
    switch (kind) {
        case WorkerKind::pool:
            return "pool";
        case WorkerKind::runner:
            return "runner";
        case WorkerKind::remote:
            return "remote";
        case WorkerKind::faktory:
            break;
    }
    return "faktory";
}

std::string_view name(WorkerState state) {
    switch (state) {
        case WorkerState::quiet:
            return "quiet";
        case WorkerState::terminate:
            return "terminate";
        case WorkerState::running:
            break;
    }
    return "running";
}

std::shared_ptr<Worker> Workers::meet(const std::string& wid) {
    auto& worker = workers_[wid];
    if (!worker) {
        worker = std::make_shared<Worker>(reactor_);
        worker->wid = wid;
        worker->connected_wall_ms = reactor_.wall_ms();
        worker->beat_ms = reactor_.now_ms();
    }
    return worker;
}

std::shared_ptr<Worker> Workers::find(const std::string& wid) const {
    auto found = workers_.find(wid);
    return found == workers_.end() ? nullptr : found->second;
}

std::shared_ptr<Worker> Workers::by_owner(const std::string& owner) const {
    for (const auto& [wid, worker] : workers_)
        if (worker->owner == owner) return worker;
    return nullptr;
}

void Workers::forget(const std::string& wid) {
    workers_.erase(wid);
}

void Workers::forget(const std::shared_ptr<Worker>& worker) {
    if (worker && find(worker->wid) == worker) forget(worker->wid);
}

std::shared_ptr<Worker> Workers::leave_behind(const Worker& worker) {
    auto left = std::make_shared<Worker>(reactor_);
    left->wid = worker.wid;
    left->owner = worker.owner;
    left->hostname = worker.hostname;
    left->kind = worker.kind;
    left->state = worker.state;
    left->labels = worker.labels;
    left->pid = worker.pid;
    left->rss_kb = worker.rss_kb;
    left->connected_wall_ms = worker.connected_wall_ms;
    left->beat_ms = worker.beat_ms;
    workers_[left->wid] = left;
    return left;
}

std::vector<std::shared_ptr<Worker>> Workers::all() const {
    std::vector<std::shared_ptr<Worker>> list;
    for (const auto& [wid, worker] : workers_)
        list.push_back(worker);
    return list;
}

}  // namespace jobq
