#include "daemon/chores/chores.h"

#include <algorithm>
#include <set>

#include "core/base/failpoint.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kScanMs = 30'000, kLeaseTickMs = 1'000, kIdleTickMs = 5'000, kPurgeMs = 60'000,
                  kIdleMs = 3'600'000;

// Told by others, once.
bool is_known(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::storage_full;
}

}  // namespace

Chores::Chores(Reactor& reactor, Broker& broker, bool shared_store)
    : reactor_(reactor),
      broker_(broker),
      shared_store_(shared_store),
      due_changed_(reactor),
      stop_(reactor),
      gate_(reactor) {}

void Chores::start() {
    broker_.on_due([this](int64_t at_wall_ms) {
        if (due_wall_ms_ != 0 && at_wall_ms >= due_wall_ms_) return;
        due_wall_ms_ = std::max<int64_t>(at_wall_ms, 1);
        due_changed_.notify_all();
    });
    gate_.keep([this] { return promoter(); });
    gate_.keep([this] { return leases(); });
    gate_.keep([this] { return purger(); });
}

task<void> Chores::stop() {
    stopping_ = true;
    due_changed_.notify_all();
    stop_.notify_all();
    co_await gate_.close();
}

void Chores::look_now() {
    due_wall_ms_ = 1;
    due_changed_.notify_all();
}

task<void> Chores::promoter() {
    while (!stopping_) {
        int64_t now = reactor_.wall_ms();
        if (due_wall_ms_ == 0 || due_wall_ms_ > now) {
            // A wall clock that jumps forward is noticed after at most a second.
            int64_t idle = shared_store_ ? kScanMs : kIdleMs;
            int64_t left = due_wall_ms_ == 0 ? idle : std::min<int64_t>(due_wall_ms_ - now, 1'000);
            auto wait = due_changed_.wait(left);
            bool woken = co_await wait;
            bool scan = !woken && due_wall_ms_ == 0;
            if (!scan) continue;
        }
        due_wall_ms_ = 0;  // what is enqueued while the store looks sets it again
        auto promoted = co_await broker_.promote();
        if (!promoted) {
            if (!is_known(promoted.error()))
                log(LogLevel::warn, "chore.promote_failed", promoted.error().text);
            due_wall_ms_ = reactor_.wall_ms() + 500;
            continue;
        }
        int64_t next = promoted->more ? 1 : promoted->next_due_ms;
        if (next != 0 && (due_wall_ms_ == 0 || next < due_wall_ms_)) due_wall_ms_ = next;
    }
}

bool Chores::stale(const Worker& worker) const {
    if (worker.gone) return true;
    int64_t limit = worker.kind == WorkerKind::faktory ? broker_.config().worker_timeout_ms
                                                       : limits::kProcessLeaseMs;
    return reactor_.now_ms() - worker.beat_ms > limit;
}

task<void> Chores::reap_worker(std::shared_ptr<Worker> worker, std::string why) {
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
        auto taken = co_await broker_.reap(worker->owner, why);
        log(LogLevel::info, "worker.gone", why,
            {{"worker", worker->wid}, {"jobs", int64_t(taken)}});
    }
}

void Chores::worker_died(std::shared_ptr<Worker> worker) {
    if (JOBQ_FAILPOINT(dead_owner_kept)) return;
    worker->gone = true;
    std::string why = "the worker's process ended while the job ran";
    gate_.spawn(reap_worker(std::move(worker), std::move(why)));
}

task<void> Chores::check_workers() {
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
task<void> Chores::check_gone() {
    std::vector<std::shared_ptr<Worker>> gone;
    for (const auto& worker : broker_.workers().all())
        if (worker->kind == WorkerKind::faktory && worker->is_gone()) gone.push_back(worker);
    if (gone.empty()) co_return;
    const auto holding = broker_.wids_with_jobs();
    std::vector<std::shared_ptr<Worker>> dead;
    for (const auto& worker : gone) {
        if (holding.count(worker->wid) == 0) {
            broker_.workers().forget(worker);
        } else if (broker_.config().release_on_death && stale(*worker)) {
            dead.push_back(worker);
        }
    }
    if (dead.empty()) co_return;
    auto beaten = co_await broker_.beaten_names();
    if (!beaten) co_return;
    for (const auto& worker : dead) {
        const bool is_back = broker_.workers().find(worker->wid) != worker || !worker->is_gone();
        if (is_back || beaten->count(Broker::beat_name(worker->wid)) > 0) continue;
        std::string wid = worker->wid,
                    why = "the worker is gone and sent no heartbeat (BEAT) for " +
                          std::to_string((reactor_.now_ms() - worker->beat_ms) / 1000) + " s";
        co_await broker_.release_held_by(std::move(wid), std::move(why));
    }
}

task<void> Chores::beat_newcomers() {
    std::set<std::string> here, fresh;
    for (const auto& worker : broker_.workers().all())
        if (worker->kind == WorkerKind::faktory && !worker->is_gone())
            here.insert(Broker::beat_name(worker->wid));
    for (const auto& name : here)
        if (beaten_.count(name) == 0) fresh.insert(name);
    std::erase_if(beaten_, [&](const std::string& name) { return here.count(name) == 0; });
    if (fresh.empty()) co_return;
    std::vector<std::string> owners(fresh.begin(), fresh.end());
    auto done = co_await broker_.store().beat(std::move(owners));
    if (done) beaten_.merge(fresh);
}

// With other daemons on the same store: beats for what we hold, and an eye on theirs. A beat that
// has not changed for a lease's length of our own monotonic clock is a dead owner's.
task<void> Chores::beat_and_watch() {
    std::set<std::string> held;
    for (const auto& [jid, running] : broker_.all_running())
        if (running.owner.find(broker_.epoch()) != std::string::npos) held.insert(running.owner);
    for (const auto& worker : broker_.workers().all()) {
        if (worker->kind != WorkerKind::pool && worker->connections == 0) continue;
        const bool faktory = worker->kind == WorkerKind::faktory;
        held.insert(faktory ? Broker::beat_name(worker->wid) : worker->owner);
    }
    std::vector<std::string> owners(held.begin(), held.end());
    std::erase(owners, "");
    // Also without any: where nobody can write, nobody's silence counts.
    auto done = co_await broker_.store().beat(owners);
    if (!done) co_return;
    auto all = co_await broker_.store().owners();
    if (!all) co_return;
    // A silence counts while it can be heard: after a while without a look it is counted anew.
    int64_t now = reactor_.now_ms();
    if (now - looked_ms_ > 2 * limits::kBeatEveryMs) seen_.clear();
    looked_ms_ = now;
    std::unordered_map<std::string, Seen> seen;
    for (const auto& info : *all) {
        if (held.count(info.owner) || info.owner == "faktory") continue;
        auto before = seen_.find(info.owner);
        bool same = before != seen_.end() && before->second.beat == info.beat;
        Seen mark{info.beat, same ? before->second.since_ms : now};
        seen[info.owner] = mark;
        // Its last sign of life may be a beat's time later than its last beat in the store.
        if (now - mark.since_ms < limits::kProcessLeaseMs + limits::kBeatEveryMs + kLeaseTickMs)
            continue;
        std::string owner = info.owner, why = "its daemon or worker sends no more heartbeats";
        co_await broker_.reap(owner, why);
        seen.erase(owner);
    }
    seen_ = std::move(seen);
}

task<void> Chores::leases() {
    int64_t next_beat_ms = 0;
    while (!stopping_) {
        bool idle = broker_.all_running().empty() && broker_.workers().size() == 0 &&
                    !broker_.has_lost_fetches() && !broker_.has_rest();
        int64_t tick = idle ? kIdleTickMs : kLeaseTickMs;
        auto wait = stop_.wait(tick);
        co_await wait;
        if (stopping_) break;
        if (broker_.has_rest()) co_await broker_.settle_rest();
        co_await broker_.expire_leases();
        if (broker_.has_lost_fetches()) co_await broker_.recall_lost_fetches();
        co_await check_workers();
        if (shared_store_) co_await beat_newcomers();
        co_await check_gone();
        co_await broker_.end_cancelled_of_gone();
        if (!shared_store_ || reactor_.now_ms() < next_beat_ms) continue;
        next_beat_ms = reactor_.now_ms() + limits::kBeatEveryMs;
        co_await beat_and_watch();
        co_await broker_.look_for_cancels();
    }
}

task<void> Chores::purger() {
    while (!stopping_) {
        auto done = co_await broker_.store().purge(reactor_.wall_ms());
        if (!done && !is_known(done.error()))
            log(LogLevel::warn, "chore.purge_failed", done.error().text);
        bool more = true;
        while (more && !stopping_) {  // none but in a store of an older jobqd
            auto counted = co_await broker_.store().count_failed();
            more = counted && *counted;
        }
        if (stopping_) break;  // it was told while the store was busy
        auto wait = stop_.wait(kPurgeMs);
        co_await wait;
    }
}

}  // namespace jobq
