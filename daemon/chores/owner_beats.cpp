#include "daemon/chores/owner_beats.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace jobq {

task<void> OwnerBeats::beat_newcomers() {
    std::set<std::string> here, fresh;
    for (const auto& worker : broker_.workers().all())
        if (worker->kind == WorkerKind::faktory && !worker->is_gone())
            here.insert(OwnerNames::beat_name(worker->wid));
    for (const auto& name : here)
        if (beaten_.count(name) == 0) fresh.insert(name);
    std::erase_if(beaten_, [&](const std::string& name) { return here.count(name) == 0; });
    if (fresh.empty()) co_return;
    std::vector<std::string> owners(fresh.begin(), fresh.end());
    auto done = co_await broker_.store().beat(std::move(owners));
    if (done) beaten_.merge(fresh);
}

// Beats for what we hold, and an eye on those of others. A beat that has not changed for a lease's
// length of our own monotonic clock is a dead owner's.
task<void> OwnerBeats::beat_and_watch() {
    std::set<std::string> held;
    for (auto& owner : broker_.running().owners())
        if (broker_.names().is_mine(owner)) held.insert(std::move(owner));
    for (const auto& worker : broker_.workers().all()) {
        if (worker->kind != WorkerKind::pool && worker->connections == 0) continue;
        const bool faktory = worker->kind == WorkerKind::faktory;
        held.insert(faktory ? OwnerNames::beat_name(worker->wid) : worker->owner);
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
        if (held.count(info.owner) || info.owner == kFaktoryOwner) continue;
        auto before = seen_.find(info.owner);
        bool same = before != seen_.end() && before->second.beat == info.beat;
        Seen mark{info.beat, same ? before->second.since_ms : now};
        seen[info.owner] = mark;
        // Its last sign of life may be a beat's time later than its last beat in the store.
        if (now - mark.since_ms < limits::kProcessLeaseMs + limits::kBeatEveryMs + kLeaseTickMs)
            continue;
        std::string owner = info.owner, why = "its daemon or worker sends no more heartbeats";
        co_await broker_.leases().reap(owner, why);
        seen.erase(owner);
    }
    seen_ = std::move(seen);
}

task<void> OwnerBeats::run() {
    int64_t next_beat_ms = 0;
    while (!stopping()) {
        auto wait = wake_.wait(lease_tick_ms());
        co_await wait;
        if (stopping()) break;
        co_await beat_newcomers();
        if (reactor_.now_ms() < next_beat_ms) continue;
        next_beat_ms = reactor_.now_ms() + limits::kBeatEveryMs;
        co_await beat_and_watch();
        co_await broker_.control().look_for_cancels();
    }
}

}  // namespace jobq
