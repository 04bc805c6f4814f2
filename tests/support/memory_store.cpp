// MemoryStore: jobs come, run and end. See memory_store.h.
#include "tests/support/memory_store.h"

#include <algorithm>
#include <set>

#include "core/store/keys.h"
#include "core/store/known.h"

namespace jobq::test {

const MemoryStore::Live* MemoryStore::find(const std::string& jid) const {
    auto found = live_.find(jid);
    return found == live_.end() ? nullptr : &found->second;
}

void MemoryStore::make_ready(Live& live, bool in_front) {
    auto& list = queues_[live.job.queue].lists[char('0' + live.job.priority)];
    live.state = State::ready;
    if (in_front)
        list.push_front({live.job.jid, false, !list.empty() && list.front().passed});
    else
        list.push_back({live.job.jid});
}

// Whether the job now stands where a ghost of its jid was. Any other ghost of it is laid to rest.
bool MemoryStore::take_ghost_place(const Job& job) {
    char own = char('0' + job.priority);
    for (auto& [name, queue] : queues_)
        for (auto& [list_name, list] : queue.lists) {
            auto ghost = std::find_if(list.begin(), list.end(), [&](const Place& place) {
                return place.ghost && place.jid == job.jid;
            });
            if (ghost == list.end()) continue;
            bool here = name == job.queue && list_name == own;
            if (here && job.run_at_ms <= clock_.wall_ms()) {
                ghost->ghost = false;
                return true;
            }
            list.erase(ghost);
        }
    return false;
}

std::string MemoryStore::holder_of_key(const Job& job) const {
    auto key = keys_.find(job.idempotency_key);
    const bool held = !job.idempotency_key.empty() && key != keys_.end() &&
                      key->second.expires_ms > clock_.wall_ms();
    return held ? key->second.jid : "";
}

Result<Enqueued> MemoryStore::answer_for_holder(const Job& job, const std::string& jid) {
    auto known = look(jid);
    if (known) return answer_for_key(job, *known);
    Enqueued existing{Enqueued::How::existing, jid, State::succeeded};
    existing.forgotten = true;
    return existing;
}

Result<Enqueued> MemoryStore::enqueue_one(const Job& job) {
    int64_t now = clock_.wall_ms();
    State state = job.run_at_ms > now ? State::scheduled : State::ready;
    if (auto holder = holder_of_key(job); !holder.empty()) return answer_for_holder(job, holder);
    auto may = job.ties ? may_bind(*job.ties) : Result<>{};
    const Live* live_one = find(job.jid);
    const bool tied = !may && may.error().code == ErrorCode::not_unique;
    if (live_one && !(tied && job.reuse == Reuse::plain))
        return *answer_for_known(job, view_of(*live_one), now);
    if (auto known = look(job.jid); known && !live_one && job.may_be_known)
        if (auto answer = answer_for_known(job, *known, now)) return *answer;
    if (!may) return tl::unexpected<Error>(may.error());
    if (!job.idempotency_key.empty())
        keys_[job.idempotency_key] = {now + limits::kIdempotencyWindowMs, job.jid};
    ++counters_.enqueued;
    bool placed = take_ghost_place(job);
    Live& live = live_[job.jid];
    live = Live{};
    live.job = job;
    bind(live, job);
    live.job.ties = nullptr;
    if (state == State::scheduled) {
        live.state = state;
        live.at_ms = job.run_at_ms;
    } else if (!placed) {
        make_ready(live, false);
    }
    return Enqueued{Enqueued::How::stored, job.jid, state};
}

task<Result<std::vector<Result<Enqueued>>>> MemoryStore::enqueue(std::vector<Job> jobs) {
    std::vector<Result<Enqueued>> results;
    std::vector<std::string> keyed(jobs.size());
    for (size_t i = 0; i < jobs.size(); ++i) {
        keyed[i] = holder_of_key(jobs[i]);
        results.push_back(enqueue_one(jobs[i]));
    }
    // Of the jobs that hold a key is told what they are once all are stored.
    for (size_t i = 0; i < jobs.size(); ++i)
        if (!keyed[i].empty()) results[i] = answer_for_holder(jobs[i], keyed[i]);
    co_return results;
}

Leased MemoryStore::lease_of(const Live& live) const {
    Leased lease;
    lease.job = live.job;
    lease.record = live.record;
    lease.token = live.token;
    lease.started_ms = live.started_ms;
    lease.cancelled = live.cancel_asked;
    return lease;
}

void MemoryStore::lease(Live& live, const FetchRequest& request, const std::string& token) {
    live.state = State::running;
    live.owner = request.owner;
    live.token = token;
    live.started_ms = clock_.wall_ms();
    start(live);
    if (request.throttles.count(live.job.queue)) {
        live.slot_queue = live.job.queue;
        live.slot_worker = request.worker;
    }
}

task<Result<std::vector<Leased>>> MemoryStore::fetch(FetchRequest request) {
    std::vector<Leased> leases;
    if (request.types && request.types->names().empty()) co_return leases;
    std::string token = "m" + std::to_string(++tokens_);
    if (!request.token.empty()) token = request.token;
    for (const auto& name : request.queues) {
        auto queue = queues_.find(name);
        if (queue == queues_.end() || queue->second.paused) continue;
        for (auto& [list_name, list] : queue->second.lists) {
            auto next = list.begin();
            while (next != list.end() && int(leases.size()) < request.count &&
                   room(request, name) > 0) {
                if (!next->ghost && !runs(request.types, live_.at(next->jid).job.type)) {
                    next->passed = true;
                    ++next;
                    continue;
                }
                if (!next->ghost) {
                    Live& live = live_.at(next->jid);
                    lease(live, request, token);
                    leases.push_back(lease_of(live));
                }
                next = list.erase(next);
            }
        }
    }
    if (!leases.empty()) owners_.emplace(request.owner, 0);
    co_return leases;
}

void MemoryStore::keep_final(const std::string& jid, FinalRecord record, int64_t retention_ms) {
    finals_[jid] = {std::move(record), bucket_second(clock_.wall_ms(), retention_ms)};
}

Result<> MemoryStore::finish_one(const Finish& finish) {
    auto found = live_.find(finish.jid);
    bool current = found != live_.end() && found->second.state == State::running &&
                   found->second.owner == finish.owner && found->second.token == finish.token;
    if (!current) return fail(ErrorCode::lease_lost, "the lease is no longer valid");
    Live& live = found->second;
    Move move = finish.transition.move;
    bool waits = move == Move::retry || move == Move::snooze || move == Move::release;
    if (waits && live.cancel_asked) return fail(ErrorCode::cancelled, "it is being cancelled");

    if (!finish.log.empty() && move != Move::release)
        logs_[finish.jid][finish.attempt] = {finish.log,
                                             bucket_second(clock_.wall_ms(), finish.retention_ms)};
    bool expired = move == Move::drop && finish.final.state == State::expired;
    if (move != Move::snooze && move != Move::release && !expired) ++counters_.processed;
    if (move == Move::retry || move == Move::dead || (move == Move::drop && !expired))
        ++counters_.failed_attempts;
    switch (move) {
        case Move::succeed:
            ++counters_.succeeded;
            break;
        case Move::cancel:
            ++counters_.cancelled;
            break;
        case Move::drop:
            ++(expired ? counters_.expired : counters_.dropped);
            break;
        case Move::dead:
            ++counters_.died;
            break;
        default:
            break;
    }

    if (move == Move::succeed || move == Move::cancel || move == Move::drop) {
        if (move != Move::drop || expired)
            keep_final(finish.jid, finish.final, finish.retention_ms);
        settle(finish.jid, move == Move::succeed            ? Event::ok
                           : move == Move::drop && !expired ? Event::drop
                                                            : Event::gone);
        live_.erase(finish.jid);
        return {};
    }
    live.owner.clear();
    live.token.clear();
    live.started_ms = 0;
    live.cancel_asked = false;
    settle(finish.jid, move == Move::retry || move == Move::dead ? Event::fail : Event::back);
    if (move == Move::release) {
        live.at_ms = 0;
        make_ready(live, true);
        return {};
    }
    live.record = finish.transition.record;
    live.state = move == Move::retry    ? State::retrying
                 : move == Move::snooze ? State::scheduled
                                        : State::dead;
    live.at_ms = move == Move::dead ? clock_.wall_ms() : finish.transition.at_ms;
    note_failed(live, clock_.wall_ms());
    return {};
}

task<Result<std::vector<Result<>>>> MemoryStore::finish(std::vector<Finish> batch) {
    std::vector<Result<>> results(batch.size());
    std::set<std::string> seen;
    std::map<std::string, std::vector<size_t>> released;  // by owner
    for (size_t i = 0; i < batch.size(); ++i) {
        const Finish& finish = batch[i];
        if (!seen.insert(finish.jid).second) {
            results[i] = fail(ErrorCode::lease_lost, "the lease is no longer valid");
            continue;
        }
        if (finish.transition.move == Move::release) {
            released[finish.owner].push_back(i);
            continue;
        }
        results[i] = finish_one(finish);
        if (results[i] && finish.follow) {
            enqueue_one(*finish.follow);
            if (on_ready_) on_ready_(finish.follow->queue);
        }
    }
    // The first of them is to be the next of its list.
    for (const auto& [owner, places] : released)
        for (auto i = places.rbegin(); i != places.rend(); ++i)
            results[*i] = finish_one(batch[*i]);
    co_return results;
}

task<Result<>> MemoryStore::beat(std::vector<std::string> owners) {
    for (const auto& owner : owners)
        ++owners_[owner];
    co_return Result<>{};
}

task<Result<std::vector<OwnerInfo>>> MemoryStore::owners() {
    std::vector<OwnerInfo> infos;
    for (const auto& [owner, beat] : owners_) {
        OwnerInfo info{owner, beat, 0};
        for (const auto& [jid, live] : live_)
            if (live.state == State::running && live.owner == owner) ++info.running;
        infos.push_back(info);
    }
    co_return infos;
}

task<Result<std::vector<Leased>>> MemoryStore::take_over(std::string from, std::string to,
                                                         std::vector<LeaseName> some, int limit) {
    std::vector<Leased> leases;
    std::string token = "m" + std::to_string(++tokens_);
    if (some.empty())
        for (const auto& [jid, live] : live_)
            if (live.owner == from && int(some.size()) < limit) some.push_back({jid, ""});
    for (const auto& one : some) {
        auto found = live_.find(one.jid);
        if (found == live_.end() || found->second.owner != from) continue;
        if (!one.token.empty() && one.token != found->second.token) continue;
        found->second.owner = to;
        found->second.token = token;
        leases.push_back(lease_of(found->second));
    }
    if (!leases.empty()) owners_.emplace(to, 0);
    bool holds = std::any_of(live_.begin(), live_.end(),
                             [&](const auto& entry) { return entry.second.owner == from; });
    if (!holds) owners_.erase(from);
    co_return leases;
}

}  // namespace jobq::test
