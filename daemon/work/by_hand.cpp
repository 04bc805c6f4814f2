// Broker: what people do to jobs and queues: cancel, requeue, release, pause, flush.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/async/wait.h"
#include "core/base/limits.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {

task<Result<std::vector<Result<Cancelled>>>> Broker::cancel(std::vector<std::string> jids) {
    std::vector<std::string> asked = jids;
    auto results = co_await store_.cancel(std::move(jids));
    if (!results) co_return results;
    for (size_t i = 0; i < asked.size(); ++i) {
        const auto& result = (*results)[i];
        if (!result) continue;
        log(LogLevel::info, "job.cancel", "",
            {{"jid", asked[i]}, {"was", std::string(name(result->was))}});
        if (result->was != State::running) {
            Job head;
            head.jid = asked[i];
            note_event("cancelled", head, {});
            changed(asked[i]);
            continue;
        }
        tell_cancel(asked[i], result->owner);
    }
    co_await end_cancelled_of_gone();
    co_return results;
}

// Commands that this caller may not have run, by place.
task<Result<std::map<size_t, Error>>> Broker::refused_commands(std::vector<std::string> jids,
                                                               Caller from) {
    std::map<size_t, Error> refused;
    if (!intake::refuses_commands(from, *config_)) co_return refused;
    auto views = co_await store_.get(std::move(jids));
    if (!views) co_return tl::unexpected<Error>(views.error());
    for (size_t i = 0; i < views->size(); ++i) {
        const auto& view = (*views)[i];
        auto why = view ? intake::rerun_refusal(from, view->job.type, *config_) : std::nullopt;
        if (why) refused.emplace(i, std::move(*why));
    }
    co_return refused;
}

task<Result<std::vector<Result<>>>> Broker::requeue(std::vector<std::string> jids, bool revive,
                                                    Caller from) {
    auto refused = co_await refused_commands(jids, from);
    if (!refused) co_return tl::unexpected<Error>(refused.error());
    std::vector<std::string> allowed;
    for (size_t i = 0; i < jids.size(); ++i)
        if (!refused->contains(i)) allowed.push_back(jids[i]);
    std::vector<std::string> asked = allowed;
    Result<std::vector<Result<>>> results;
    if (!allowed.empty()) results = co_await store_.requeue(std::move(allowed), revive);
    if (!results) co_return results;
    // From the front, so that each place is right when its turn comes.
    for (const auto& [at, why] : *refused)
        results->insert(results->begin() + long(at), tl::unexpected<Error>(why));
    if (asked.empty()) co_return results;
    stir();
    waiters_.notify_all();
    for (const auto& jid : asked)
        changed(jid);
    co_return results;
}

task<Result<>> Broker::pause(std::vector<std::string> queues, bool paused) {
    std::vector<std::string> names = queues;
    auto done = co_await store_.pause(std::move(queues), paused);
    if (!done) co_return done;
    for (const auto& queue : names) {
        log(LogLevel::info, paused ? "queue.paused" : "queue.resumed", "", {{"queue", queue}});
        Job none;
        none.queue = queue;
        note_event(paused ? "queue_paused" : "queue_resumed", none, {});
        if (!paused) waiters_.notify(queue, "", limits::kConnections);
    }
    co_return done;
}

task<Result<>> Broker::flush() {
    auto known = co_await store_.queues(false);
    if (!known) co_return tl::unexpected<Error>(known.error());
    auto done = co_await store_.flush();
    if (!done) co_return done;
    for (auto& [jid, running] : running_)
        running.flushed = true;
    std::vector<std::string> all, open;
    for (const auto& queue : *known) {
        all.push_back(queue.name);
        if (!queue.paused) open.push_back(queue.name);
    }
    // A pause makes a queue known.
    if (!all.empty()) done = co_await store_.pause(std::move(all), true);
    if (done && !open.empty()) done = co_await store_.pause(std::move(open), false);
    waiters_.notify_all();
    co_return done;
}

// Nothing, or why the lease is not to be ended: somebody is there who runs the job. `beating`:
// owners that another jobqd keeps alive.
std::optional<Error> Broker::why_held(const JobView& view,
                                      const std::set<std::string>& beating) const {
    const std::string job = "job " + view.job.jid;
    if (view.state != State::running)
        return Error{ErrorCode::conflict,
                     job + " is " + std::string(name(view.state)) + ", so no worker holds it"};
    const bool faktory = view.owner == "faktory";
    auto known = running_.find(view.job.jid);
    auto worker = faktory ? nullptr : workers_.by_owner(view.owner);
    const bool there = faktory ? holder_of(view.job.jid) == Holder::there
                               : is_process(view.owner) || (worker && !worker->is_gone());
    if (there)
        return Error{ErrorCode::conflict,
                     job + " runs at a connected worker; cancel the job, or stop the worker"};
    if (beating.count(name_of_holder(view)))
        return Error{ErrorCode::conflict,
                     job + " runs at a connected worker of another jobqd; cancel the job"};
    if (faktory && known == running_.end())
        return Error{ErrorCode::conflict,
                     job + " was fetched from another jobqd; release it there"};
    if (kept_ends_.holds(view.job.jid))
        return Error{ErrorCode::conflict,
                     job + " has ended, but the store does not know it yet; wait a moment"};
    return std::nullopt;
}

// Under which name it beats in the store; "" none is known.
std::string Broker::name_of_holder(const JobView& view) const {
    if (view.owner != "faktory") return view.owner;
    auto known = running_.find(view.job.jid);
    if (known == running_.end() || known->second.worker.empty()) return "";
    return beat_name(known->second.worker);
}

// Of these owners, which nobody here knows, those whose beat goes on: a jobqd elsewhere has them.
task<std::set<std::string>> Broker::beating_elsewhere(std::set<std::string> owners) {
    std::set<std::string> beating;
    std::map<std::string, int64_t> before;
    for (int look = 0; look < 2 && !owners.empty(); ++look) {
        if (look == 1) co_await sleep_for(reactor_, limits::kBeatEveryMs * 3 / 2);
        auto all = co_await store_.owners();
        // Unknown: they are taken to be there.
        if (!all) co_return owners;
        for (const auto& one : *all) {
            if (owners.count(one.owner) == 0) continue;
            if (look == 0) before[one.owner] = one.beat;
            if (look == 1 && before[one.owner] != one.beat) beating.insert(one.owner);
        }
    }
    co_return beating;
}

// What became of one of those that were to be taken away.
static Result<> released(const std::string& jid, const Result<std::set<std::string>>& taken) {
    if (!taken) return tl::unexpected<Error>(taken.error());
    if (!taken->contains(jid))
        return fail(ErrorCode::conflict, "job " + jid + " has ended meanwhile");
    log(LogLevel::info, "job.release", "", {{"jid", jid}});
    return {};
}

task<Result<std::vector<Result<>>>> Broker::release(std::vector<std::string> jids, Caller from) {
    auto views = co_await store_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    std::set<std::string> strangers;
    for (const auto& view : *views) {
        if (!view || view->state != State::running || config_->redis.url.empty()) continue;
        std::string name = name_of_holder(*view);
        const bool known = view->owner == "faktory" ? holder_of(view->job.jid) == Holder::there
                                                    : workers_.by_owner(view->owner) != nullptr;
        if (!known && !name.empty()) strangers.insert(std::move(name));
    }
    auto beating = co_await beating_elsewhere(std::move(strangers));
    std::vector<Result<>> results(jids.size());
    std::map<std::string, std::vector<size_t>> held;  // places, by owner
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        std::optional<Error> refused;
        if (!view) refused = view.error();
        if (!refused) refused = intake::rerun_refusal(from, view->job.type, *config_);
        if (!refused) refused = why_held(*view, beating);
        if (refused) {
            results[i] = tl::unexpected<Error>(std::move(*refused));
        } else {
            held[view->owner].push_back(i);
        }
    }
    for (const auto& [owner, places] : held) {
        for (size_t done = 0; done < places.size(); done += limits::kScriptJobs) {
            const size_t end = std::min(places.size(), done + limits::kScriptJobs);
            std::vector<LeaseName> some;
            for (size_t at = done; at < end; ++at)
                some.push_back({jids[places[at]], (*views)[places[at]]->token});
            std::string who = owner, why = "its lease was released by hand";
            auto taken = co_await take_away(std::move(who), std::move(some), std::move(why));
            for (size_t at = done; at < end; ++at)
                results[places[at]] = released(jids[places[at]], taken);
        }
    }
    co_return results;
}

}  // namespace jobq
