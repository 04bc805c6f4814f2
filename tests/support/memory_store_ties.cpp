// MemoryStore: what binds jobs to each other. See memory_store.h and core/store/batch_store.h.
#include <algorithm>

#include "tests/support/memory_store.h"

namespace jobq::test {

Result<> MemoryStore::may_bind(const Ties& ties) const {
    if (!ties.bid.empty() && !batches_.count(ties.bid))
        return fail(ErrorCode::not_found, "No such batch " + ties.bid);
    auto lock = locks_.find(ties.lock);
    if (!ties.lock.empty() && lock != locks_.end() && lock->second.expires_ms > clock_.wall_ms())
        return fail(ErrorCode::not_unique, "Job not unique");
    return {};
}

void MemoryStore::bind(Live& live, const Job& job) {
    if (!job.ties) return;
    const Ties& ties = *job.ties;
    int64_t now = clock_.wall_ms();
    progress_.erase(job.jid);
    live.tracked = ties.tracked;
    live.lock = ties.lock;
    live.until_start = ties.until_start;
    if (!ties.lock.empty())
        locks_[ties.lock] = {job.jid, std::max(now, job.run_at_ms) + ties.lock_for_ms};
    if (ties.bid.empty()) return;
    live.bid = ties.bid;
    live.part = BatchPart::pending;
    Batch& batch = batches_.at(ties.bid);
    ++batch.view.total;
    ++batch.view.pending;
    batch.goes_ms = batch.view.open ? now + limits::kBatchPatienceMs : 0;
}

void MemoryStore::start(Live& live) {
    if (!live.until_start) return;
    auto lock = locks_.find(live.lock);
    if (lock != locks_.end() && lock->second.jid == live.job.jid) locks_.erase(lock);
    live.lock.clear();
}

int MemoryStore::room(const FetchRequest& request, const std::string& queue) const {
    auto throttle = request.throttles.find(queue);
    if (throttle == request.throttles.end()) return 1;
    int in_all = 0, mine = 0;
    for (const auto& [jid, live] : live_) {
        if (live.slot_queue != queue) continue;
        ++in_all;
        mine += live.slot_worker == request.worker;
    }
    int room = 1;
    if (throttle->second.in_all > 0) room = std::min(room, throttle->second.in_all - in_all);
    if (throttle->second.per_worker > 0) room = std::min(room, throttle->second.per_worker - mine);
    return room;
}

void MemoryStore::settle(const std::string& jid, Event event) {
    Live& live = live_.at(jid);
    bool over = event == Event::ok || event == Event::drop || event == Event::gone;
    live.slot_queue.clear();
    live.slot_worker.clear();
    if (over) {
        auto lock = locks_.find(live.lock);
        if (lock != locks_.end() && lock->second.jid == jid) locks_.erase(lock);
    }
    if (over && live.tracked) {
        Progress& progress = progress_[jid];
        progress.tracked = true;
        progress.updated_ms = clock_.wall_ms();
        progress.end = event == Event::ok ? "success" : event == Event::drop ? "failed" : "dead";
    }
    if (!live.bid.empty() && event != Event::back) settle_batch(live, event, over);
}

void MemoryStore::settle_batch(Live& live, Event event, bool over) {
    std::string bid = live.bid;
    BatchPart part = live.part;
    if (over)
        live.bid.clear();
    else if (part == BatchPart::pending && batches_.count(bid))
        live.part = BatchPart::failed;
    auto found = batches_.find(bid);
    if (found == batches_.end()) return;
    Batch& batch = found->second;
    bool ok = event == Event::ok;
    if (part == BatchPart::pending) {
        --batch.view.pending;
        ++(ok ? batch.ok : batch.view.failed);
    } else if (part == BatchPart::failed && ok) {
        --batch.view.failed;
        ++batch.ok;
    } else if (part == BatchPart::complete && ok) {
        batch.view.complete_state = "2";
        batch.complete_over = true;
    } else if (part == BatchPart::success && ok) {
        batch.view.success_state = "2";
        success_over(batch);
    }
    advance(bid);
}

void MemoryStore::success_over(Batch& batch) {
    batch.success_over = true;
    auto parent = batches_.find(batch.spec.parent);
    if (parent == batches_.end()) return;
    --parent->second.kids;
    advance(parent->first);
}

bool MemoryStore::fire(const std::string& bid, const std::optional<Job>& callback, BatchPart part) {
    if (!callback) return false;
    std::string jid = callback->jid;
    if (live_.count(jid) || has_ghost(jid))
        jid = bid + (part == BatchPart::complete ? "-complete" : "-success");
    Live& live = live_[jid];
    live.job = *callback;
    live.job.jid = jid;
    live.job.ties = nullptr;
    live.tracked = callback->ties && callback->ties->tracked;
    live.bid = bid;
    live.part = part;
    ++counters_.enqueued;
    if (callback->run_at_ms > clock_.wall_ms()) {
        live.state = State::scheduled;
        live.at_ms = callback->run_at_ms;
        if (on_ready_) on_ready_("");
        return true;
    }
    live.record.ready_ms = clock_.wall_ms();
    make_ready(live, false);
    if (on_ready_) on_ready_(callback->queue);
    return true;
}

bool MemoryStore::has_ghost(const std::string& jid) const {
    for (const auto& [name, queue] : queues_)
        for (const auto& [list_name, list] : queue.lists)
            for (const auto& place : list)
                if (place.ghost && place.jid == jid) return true;
    return false;
}

void MemoryStore::advance(const std::string& bid) {
    Batch& batch = batches_.at(bid);
    BatchView& view = batch.view;
    bool due = !view.open && !batch.complete_over && view.complete_state.empty();
    if (due && view.pending == 0) {
        if (fire(bid, batch.spec.complete, BatchPart::complete))
            view.complete_state = "1";
        else
            batch.complete_over = true;
    }
    bool well = view.total == batch.ok && batch.kids == 0 && !batch.lost;
    due = !view.open && batch.complete_over && !batch.success_over && view.success_state.empty();
    if (due && well) {
        if (fire(bid, batch.spec.success, BatchPart::success))
            view.success_state = "1";
        else
            success_over(batch);
    }
    let_rest(bid);
}

int MemoryStore::live_ties(const std::string& bid) const {
    return int(std::count_if(live_.begin(), live_.end(),
                             [&](const auto& entry) { return entry.second.bid == bid; }));
}

void MemoryStore::let_rest(const std::string& bid) {
    Batch& batch = batches_.at(bid);
    if (batch.view.open) return;
    bool rests = live_ties(bid) == 0 && batch.kids == 0;
    batch.goes_ms = rests ? clock_.wall_ms() + limits::kBatchKeepMs : 0;
}

void MemoryStore::purge_batches(int64_t now_ms) {
    std::vector<std::pair<int64_t, std::string>> due;
    for (const auto& [bid, batch] : batches_)
        if (batch.goes_ms != 0 && batch.goes_ms <= now_ms) due.emplace_back(batch.goes_ms, bid);
    std::sort(due.begin(), due.end());
    for (const auto& [at_ms, bid] : due) {
        Batch& batch = batches_.at(bid);
        if (batch.view.open && batch.committed) {
            batch.view.open = false;
            batch.goes_ms = 0;
            advance(bid);
            continue;
        }
        auto parent = batches_.find(batch.spec.parent);
        if (!batch.success_over && parent != batches_.end()) {
            parent->second.lost = true;
            --parent->second.kids;
            let_rest(parent->first);
        }
        batches_.erase(bid);
    }
}

task<Result<>> MemoryStore::make_batch(BatchSpec spec) {
    auto parent = batches_.find(spec.parent);
    if (!spec.parent.empty() && parent == batches_.end())
        co_return fail(ErrorCode::not_found, "No such batch " + spec.parent);
    if (parent != batches_.end()) {
        ++parent->second.kids;
        let_rest(parent->first);
    }
    std::string bid = spec.bid;
    Batch& batch = batches_[bid];
    batch = Batch{};
    batch.view.bid = bid;
    batch.view.parent = spec.parent;
    batch.view.description = spec.description;
    batch.view.created_ms = clock_.wall_ms();
    batch.spec = std::move(spec);
    batch.goes_ms = clock_.wall_ms() + limits::kBatchPatienceMs;
    co_return Result<>{};
}

task<Result<>> MemoryStore::open_batch(std::string bid, bool open) {
    auto found = batches_.find(bid);
    if (found == batches_.end()) co_return fail(ErrorCode::not_found, "No such batch " + bid);
    Batch& batch = found->second;
    batch.view.open = open;
    if (open) {
        batch.goes_ms = clock_.wall_ms() + limits::kBatchPatienceMs;
    } else {
        batch.committed = true;
        advance(bid);
    }
    co_return Result<>{};
}

task<Result<BatchView>> MemoryStore::batch(std::string bid) {
    auto found = batches_.find(bid);
    if (found == batches_.end()) co_return fail(ErrorCode::not_found, "No such batch " + bid);
    co_return found->second.view;
}

task<Result<bool>> MemoryStore::track(ProgressUpdate update) {
    auto live = live_.find(update.jid);
    bool tracked = live != live_.end() && live->second.tracked;
    if (!tracked && !progress_.count(update.jid)) co_return false;
    Progress& progress = progress_[update.jid];
    progress.tracked = true;
    progress.updated_ms = clock_.wall_ms();
    if (update.percent) progress.percent = update.percent;
    if (update.description) progress.description = *update.description;
    progress.lease_until_ms = std::max(progress.lease_until_ms, update.lease_until_ms);
    co_return true;
}

task<Result<std::vector<Progress>>> MemoryStore::progress(std::vector<std::string> jids) {
    std::vector<Progress> all;
    for (const auto& jid : jids) {
        auto known = progress_.find(jid);
        auto live = live_.find(jid);
        Progress one = known == progress_.end() ? Progress{} : known->second;
        one.tracked = known != progress_.end() || (live != live_.end() && live->second.tracked);
        all.push_back(std::move(one));
    }
    co_return all;
}

}  // namespace jobq::test
