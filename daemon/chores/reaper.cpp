#include "daemon/chores/reaper.h"

#include <functional>
#include <utility>
#include <vector>

#include "core/base/failpoint.h"
#include "daemon/observe/log.h"

namespace jobq {

bool Reaper::stale(const Worker& worker) const {
    if (worker.gone) return true;
    int64_t limit = worker.kind == WorkerKind::faktory ? broker_.config().worker_timeout_ms
                                                       : limits::kProcessLeaseMs;
    return reactor_.now_ms() - worker.beat_ms > limit;
}

task<void> Reaper::reap_worker(std::shared_ptr<Worker> worker, std::string why) {
    // Of one of Faktory's the jobs may be all that is left: see check_gone().
    if (worker->kind == WorkerKind::faktory) {
        broker_.workers().leave_behind(*worker);
    } else {
        broker_.workers().forget(worker->wid);
    }
    std::vector<std::function<void()>> closers;
    for (const auto& [id, close] : worker->closers)
        closers.push_back(close);
    for (const auto& close : closers)
        close();
    // One that is not connected here may be elsewhere: its beats in the store tell.
    if (shared_store_ && worker->connections == 0 && !worker->gone) co_return;
    if (worker->kind == WorkerKind::runner || worker->kind == WorkerKind::remote) {
        auto taken = co_await broker_.leases().reap(worker->owner, why);
        if (taken == 0 && worker->gone) why = "the worker's process ended; it held no jobs";
        log(LogLevel::info, "worker.gone", why,
            {{"worker", worker->wid}, {"jobs", int64_t(taken)}});
    }
}

void Reaper::worker_died(std::shared_ptr<Worker> worker) {
    if (JOBQ_FAILPOINT(dead_owner_kept)) return;
    worker->gone = true;
    std::string why = "the worker's process ended while the job ran";
    gate_.spawn(reap_worker(std::move(worker), std::move(why)));
}

task<void> Reaper::check_workers() {
    for (const auto& worker : broker_.workers().all()) {
        if (worker->kind == WorkerKind::pool || worker->gone || !stale(*worker)) continue;
        if (worker->kind == WorkerKind::faktory && worker->is_gone()) continue;
        std::string why = "the worker sent no heartbeat for " +
                          std::to_string((reactor_.now_ms() - worker->beat_ms) / 1000) + " s";
        co_await reap_worker(worker, why);
    }
}

// Faktory workers without a connection, which are known as long as they hold jobs: those stay
// reserved until their reservations end. Where it is wanted they go back to their queues as soon as
// the worker is dead: its beat is late, and no other daemon has heard of it.
task<void> Reaper::check_gone() {
    std::vector<std::shared_ptr<Worker>> gone;
    for (const auto& worker : broker_.workers().all())
        if (worker->kind == WorkerKind::faktory && worker->is_gone()) gone.push_back(worker);
    if (gone.empty()) co_return;
    const auto holding = broker_.holders().wids_with_jobs();
    std::vector<std::shared_ptr<Worker>> dead;
    for (const auto& worker : gone) {
        if (holding.count(worker->wid) == 0) {
            broker_.workers().forget(worker);
        } else if (broker_.config().release_on_death && stale(*worker)) {
            dead.push_back(worker);
        }
    }
    if (dead.empty()) co_return;
    auto beaten = co_await broker_.holders().beaten_names();
    if (!beaten) co_return;
    for (const auto& worker : dead) {
        const bool is_back = broker_.workers().find(worker->wid) != worker || !worker->is_gone();
        if (is_back || beaten->count(OwnerNames::beat_name(worker->wid)) > 0) continue;
        std::string wid = worker->wid,
                    why = "the worker is gone and sent no heartbeat (BEAT) for " +
                          std::to_string((reactor_.now_ms() - worker->beat_ms) / 1000) + " s";
        co_await broker_.leases().release_held_by(std::move(wid), std::move(why));
    }
}

task<void> Reaper::run() {
    while (!stopping()) {
        auto wait = wake_.wait(lease_tick_ms());
        co_await wait;
        if (stopping()) break;
        if (broker_.leases().has_rest()) co_await broker_.leases().settle_rest();
        co_await broker_.leases().expire();
        if (broker_.returns().has_lost()) co_await broker_.returns().recall();
        co_await check_workers();
        co_await check_gone();
        co_await broker_.leases().end_cancelled_of_gone();
    }
}

}  // namespace jobq
