// MemoryStore: failed jobs by cause. See memory_store.h.
#include "core/base/limits.h"
#include "tests/support/memory_store.h"

namespace jobq::test {

// Requires: in its new state, with its new record.
void MemoryStore::note_failed(Live& live, int64_t at_ms) {
    live.change = ++changes_;
    if (live.state == State::scheduled) return;  // a snooze is no failure
    Cause cause = cause_of(live.job.type, live.record);
    live.group = cause.fingerprint();
    if (!groups_.count(live.group) && groups_.size() >= limits::kFailedGroups) {
        live.group = "other";
        cause = Cause{};
    }
    Group fresh;
    fresh.cause = cause;
    fresh.since_ms = at_ms;
    Group& group = groups_.emplace(live.group, fresh).first->second;
    group.latest_ms = at_ms;
    group.latest = live.job.jid;
}

void MemoryStore::forget_failed(Live& live) {
    live.change = 0;
    const std::string group = std::exchange(live.group, "");
    if (group.empty()) return;
    for (const auto& [jid, other] : live_)
        if (other.group == group) return;
    groups_.erase(group);
}

task<Result<FailedGroups>> MemoryStore::failed_groups() {
    FailedGroups found;
    for (const auto& [id, group] : groups_) {
        FailedGroup& one = found.groups.emplace_back();
        one.id = id;
        one.cause = group.cause;
        one.since_ms = group.since_ms;
        one.latest_ms = group.latest_ms;
        one.latest = group.latest;
        for (const auto& [jid, live] : live_) {
            if (live.group != id) continue;
            ++(live.state == State::dead ? one.dead : one.retrying);
        }
    }
    co_return found;
}

}  // namespace jobq::test
