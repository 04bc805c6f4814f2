#include "daemon/server/pool_table.h"

#include <algorithm>

#include "core/config/check.h"
#include "daemon/server/assignment.h"

namespace jobq {

std::vector<PoolStatus> PoolTable::statuses(Broker& broker) const {
    std::vector<PoolStatus> statuses;
    std::map<std::string, int> busy;
    for (const auto& [jid, running] : broker.running().all())
        ++busy[running.worker];
    for (const auto& [name, pool] : config_->pools) {
        PoolStatus status;
        status.name = name;
        status.kind = pool.kind == PoolKind::thread  ? "thread"
                      : pool.kind == PoolKind::child ? "child"
                                                     : "exec";
        status.slots = pool.slots;
        status.busy = std::min(busy[name], pool.slots);  // a thread pool takes some ahead
        for (const auto& queue : pool.queues)
            status.queues.push_back(queue.name);
        statuses.push_back(std::move(status));
    }
    return statuses;
}

Types PoolTable::types_of(const std::string& pool) {
    if (known_for_ != config_) {
        types_.clear();
        known_for_ = config_;
    }
    auto known = types_.find(pool);
    if (known != types_.end()) return known->second;
    auto configured = config_->pools.find(pool);
    const PoolConfig one = configured == config_->pools.end() ? PoolConfig{} : configured->second;
    return types_[pool] = types_run_by(one, *config_);
}

bool PoolTable::runs(const std::string& type, const std::string& queue) const {
    if (type == kCommandType && !config_->allow_run) return false;
    for (const auto& [name, pool] : config_->pools) {
        bool serves = false;
        for (const auto& served : pool.queues)
            serves = serves || served.name == queue;
        if (serves && jobq::runs(types_run_by(pool, *config_), type)) return true;
    }
    return false;
}

}  // namespace jobq
