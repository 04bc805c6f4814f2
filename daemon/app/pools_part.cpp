#include "daemon/app/pools_part.h"

#include <algorithm>
#include <utility>

#include "core/config/check.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

// Who tries out a client of his own must not wonder where its jobs went.
void tell_builtins(const PoolConfig& pool) {
    std::string types, queues;
    for (const auto& type : builtins_of(pool))
        types += (types.empty() ? "" : ", ") + type;
    for (const auto& queue : pool.queues)
        queues += (queues.empty() ? "" : ", ") + queue.name;
    log(LogLevel::info, "dev.builtins",
        "--dev runs jobs of the built-in types itself; use other types or other queues for your "
        "own jobs",
        {{"types", types}, {"queues", queues}});
}

}  // namespace

void PoolsPart::make_pools() {
    for (const auto& [name, pool] : config_->pools) {
        if (pool.kind != PoolKind::thread || pools_.count(name)) continue;
        auto made = std::make_shared<ThreadPool>(reactor_, broker_.broker(), pool);
        made->start();
        if (config_->dev) tell_builtins(pool);
        pools_[name] = std::move(made);
    }
}

task<Result<>> PoolsPart::start() {
    make_pools();
    co_return Result<>{};
}

task<void> PoolsPart::reload() {
    for (auto it = pools_.begin(); it != pools_.end();) {
        auto now = config_->pools.find(it->first);
        if (now != config_->pools.end() && now->second == it->second->config()) {
            ++it;
            continue;
        }
        leaving_.push_back(std::move(it->second));
        it = pools_.erase(it);
    }
    Gate ends(reactor_);
    for (auto& pool : leaving_)
        ends.spawn(end_pool(pool, config_->stop_timeout_ms));
    co_await ends.close();
    leaving_.clear();
    if (!stopping_) make_pools();
}

task<void> PoolsPart::end_pool(Pool pool, int64_t limit_ms) {
    co_await pool->stop(limit_ms);
}

task<void> PoolsPart::drain(Ending ending) {
    stopping_ = true;
    const int64_t limit = std::max<int64_t>(0, ending.until_ms - reactor_.now_ms());
    Gate ends(reactor_);
    for (auto& [name, pool] : pools_)
        ends.spawn(end_pool(pool, limit));
    for (auto& pool : leaving_)
        ends.spawn(end_pool(pool, limit));
    co_await ends.close();
}

void PoolsPart::hurry() {
    for (auto& [name, pool] : pools_)
        pool->hurry();
    for (auto& pool : leaving_)
        pool->hurry();
}

}  // namespace jobq
