// MemoryStore: time passes, and people change things. See memory_store.h.
#include <algorithm>

#include "core/store/keys.h"
#include "tests/support/memory_store.h"

namespace jobq::test {

// Order among jobs of the same moment: any would do, but both stores must agree.
std::string MemoryStore::rank(const Job& job) {
    return std::to_string(job.priority) + job.queue + " " + job.jid;
}

bool MemoryStore::earlier(const Live* a, const Live* b) {
    if (a->at_ms != b->at_ms) return a->at_ms < b->at_ms;
    return rank(a->job) < rank(b->job);
}

std::vector<const MemoryStore::Live*> MemoryStore::by_time(State state) const {
    std::vector<const Live*> jobs;
    for (const auto& [jid, live] : live_)
        if (live.state == state) jobs.push_back(&live);
    std::sort(jobs.begin(), jobs.end(), earlier);
    return jobs;
}

task<Result<Promoted>> MemoryStore::promote(int64_t now_ms, int limit) {
    std::vector<const Live*> waiting = by_time(State::scheduled);
    std::vector<const Live*> retrying = by_time(State::retrying);
    waiting.insert(waiting.end(), retrying.begin(), retrying.end());
    std::sort(waiting.begin(), waiting.end(), earlier);
    Promoted promoted;
    for (const Live* job : waiting) {
        if (job->at_ms > now_ms || limit == 0) {
            promoted.next_due_ms = job->at_ms;
            promoted.more = job->at_ms <= now_ms;
            break;
        }
        Live& live = live_.at(job->job.jid);
        live.at_ms = 0;
        forget_failed(live);
        make_ready(live, false);
        ++promoted.queues[live.job.queue];
        --limit;
    }
    co_return promoted;
}

task<Result<>> MemoryStore::purge(int64_t now_ms) {
    int64_t now_s = now_ms / 1000;
    std::erase_if(finals_, [&](const auto& entry) { return entry.second.until_s <= now_s; });
    for (auto& [jid, logs] : logs_)
        std::erase_if(logs, [&](const auto& entry) { return entry.second.until_s <= now_s; });
    std::erase_if(imported_, [&](const auto& entry) { return entry.second <= now_s; });
    std::erase_if(keys_, [&](const auto& entry) { return entry.second.expires_ms <= now_ms; });
    std::vector<std::string> old;
    for (const auto& [jid, live] : live_)
        if (live.state == State::dead && live.at_ms <= now_ms - limits::kDeadKeepMs)
            old.push_back(jid);
    for (const auto& jid : old) {
        forget_failed(live_.at(jid));
        settle(jid, Event::gone);
        live_.erase(jid);
        ++counters_.removed;
    }
    purge_batches(now_ms);
    co_return Result<>{};
}

Error MemoryStore::wrong_state(const std::string& jid) const {
    bool known = find(jid) || finals_.count(jid);
    return {known ? ErrorCode::conflict : ErrorCode::not_found, "job " + jid};
}

// A job that waits in a queue leaves a ghost there, but for one that was passed over.
void MemoryStore::leave_place(const Live& live) {
    if (live.state != State::ready) return;
    for (auto& [name, list] : queues_.at(live.job.queue).lists) {
        for (auto& place : list)
            if (place.jid == live.job.jid) place.ghost = true;
        std::erase_if(list, [](const Place& place) { return place.ghost && place.passed; });
    }
}

task<Result<std::vector<Result<Cancelled>>>> MemoryStore::cancel(std::vector<std::string> jids) {
    std::vector<Result<Cancelled>> results;
    for (const auto& jid : jids) {
        auto found = live_.find(jid);
        if (found == live_.end()) {
            results.push_back(tl::unexpected<Error>(wrong_state(jid)));
            continue;
        }
        Live& live = found->second;
        results.push_back(Cancelled{live.state, live.owner, live.job.type, live.job.queue});
        if (live.state == State::running) {
            live.cancel_asked = true;
            continue;
        }
        FinalRecord record;
        record.state = State::cancelled;
        record.type = live.job.type;
        record.queue = live.job.queue;
        record.created_ms = live.job.created_ms;
        record.finished_ms = clock_.wall_ms();
        record.attempts = live.record.attempts;
        record.tags = live.job.tags;
        record.content = content_of(live.job);
        keep_final(jid, record, limits::kRetentionMs);
        forget_failed(live);
        leave_place(live);
        settle(jid, Event::gone);
        live_.erase(jid);
        ++counters_.cancelled;
    }
    co_return results;
}

task<Result<std::vector<std::string>>> MemoryStore::cancels() {
    std::vector<std::string> jids;
    for (const auto& [jid, live] : live_)
        if (live.state == State::running && live.cancel_asked) jids.push_back(jid);
    co_return jids;
}

task<Result<std::vector<Result<>>>> MemoryStore::requeue(std::vector<std::string> jids,
                                                         bool revive) {
    std::vector<Result<>> results;
    for (const auto& jid : jids) {
        auto found = live_.find(jid);
        bool can = found != live_.end() &&
                   (found->second.state == State::dead || found->second.state == State::retrying ||
                    found->second.state == State::scheduled);
        if (!can) {
            results.push_back(tl::unexpected<Error>(wrong_state(jid)));
            continue;
        }
        Live& live = found->second;
        if (revive) live.record = revived(live.record, clock_.wall_ms());
        if (revive || live.job.run_at_ms > clock_.wall_ms())
            live.record.ready_ms = clock_.wall_ms();
        live.record.next_at_ms = 0;
        live.at_ms = 0;
        forget_failed(live);
        make_ready(live, false);
        results.emplace_back();
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> MemoryStore::remove(std::vector<std::string> jids) {
    std::vector<Result<>> results;
    for (const auto& jid : jids) {
        auto found = live_.find(jid);
        if (found != live_.end() && found->second.state != State::running) {
            leave_place(found->second);
            forget_failed(found->second);
            settle(jid, Event::gone);
            live_.erase(jid);
            ++counters_.removed;
            results.emplace_back();
        } else if (found == live_.end() && finals_.erase(jid) > 0) {
            results.emplace_back();
        } else {
            results.push_back(tl::unexpected<Error>(wrong_state(jid)));
        }
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> MemoryStore::kill(std::vector<std::string> jids) {
    std::vector<Result<>> results;
    for (const auto& jid : jids) {
        auto found = live_.find(jid);
        bool can = found != live_.end() && (found->second.state == State::retrying ||
                                            found->second.state == State::scheduled);
        if (!can) {
            results.push_back(tl::unexpected<Error>(wrong_state(jid)));
            continue;
        }
        Live& live = found->second;
        live.state = State::dead;
        live.at_ms = clock_.wall_ms();
        live.record.reason = "killed";
        live.record.next_at_ms = 0;
        forget_failed(live);
        note_failed(live, live.at_ms);
        settle(jid, Event::fail);
        ++counters_.died;
        results.emplace_back();
    }
    co_return results;
}

}  // namespace jobq::test
