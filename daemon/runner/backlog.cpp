#include "daemon/runner/backlog.h"

#include <algorithm>

namespace jobq {

void Backlog::push(const std::string& pool, TakenJob job, int64_t now_ms, int64_t wall_ms) {
    entries_.push_back({pool, std::move(job), now_ms, wall_ms});
}

std::optional<TakenJob> Backlog::pop(const std::string& pool) {
    auto first = std::find_if(entries_.begin(), entries_.end(),
                              [&](const Entry& entry) { return entry.pool == pool; });
    if (first == entries_.end()) return std::nullopt;
    TakenJob job = std::move(first->job);
    entries_.erase(first);
    return job;
}

std::vector<TakenJob> Backlog::take_stale(const std::string& pool, int64_t until_ms) {
    std::vector<TakenJob> old;
    const bool any = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.pool == pool && entry.since_ms <= until_ms;
    });
    if (!any) return old;
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        if (entry->pool != pool) {
            ++entry;
            continue;
        }
        old.push_back(std::move(entry->job));
        entry = entries_.erase(entry);
    }
    return old;
}

std::optional<TakenJob> Backlog::remove(const std::string& jid, const std::string& token) {
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.job.jid == jid && (token.empty() || entry.job.token == token);
    });
    if (found == entries_.end()) return std::nullopt;
    TakenJob job = std::move(found->job);
    entries_.erase(found);
    return job;
}

int Backlog::count(const std::string& pool) const {
    return int(std::count_if(entries_.begin(), entries_.end(),
                             [&](const Entry& entry) { return entry.pool == pool; }));
}

void Backlog::list_running(std::vector<RunningJob>& into) const {
    for (const auto& entry : entries_)
        into.push_back({entry.job.jid, entry.job.token, entry.taken_wall_ms});
}

}  // namespace jobq
