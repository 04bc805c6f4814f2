#include "daemon/broker/job_control.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "daemon/broker/intake_rules.h"

namespace jobq {

JobControl::JobControl(Store& store, Workers& workers, const CurrentConfig& config,
                       RunningTable& running, Wakeups& wakeups, Watchers& watchers,
                       Journal& journal, KeptEnds& kept_ends, Holders& holders, Leases& leases)
    : store_(store),
      workers_(workers),
      config_(config),
      running_(running),
      wakeups_(wakeups),
      watchers_(watchers),
      journal_(journal),
      kept_ends_(kept_ends),
      holders_(holders),
      leases_(leases) {}

task<Result<std::vector<Result<Cancelled>>>> JobControl::cancel(std::vector<std::string> jids) {
    std::vector<std::string> asked = jids;
    auto results = co_await store_.cancel(std::move(jids));
    if (!results) co_return results;
    for (size_t i = 0; i < asked.size(); ++i) {
        const auto& result = (*results)[i];
        if (!result) continue;
        journal_.cancelled({asked[i], result->type, result->queue, result->was});
        if (result->was != State::running)
            watchers_.changed(asked[i]);
        else if (result->owner.empty())
            note_cancel(asked[i]);
        else
            tell_holder(asked[i], result->owner);
    }
    co_await leases_.end_cancelled_of_gone();
    co_return results;
}

void JobControl::tell_holder(const std::string& jid, const std::string& owner) {
    if (Running* known = running_.find(jid)) known->cancel_asked = true;
    auto worker = workers_.by_owner(owner);
    if (!worker) return;
    worker->cancel.push_back(jid);
    worker->notice.notify_all();
}

void JobControl::note_cancel(const std::string& jid) {
    const Running* known = running_.find(jid);
    if (known && !known->cancel_asked) tell_holder(jid, known->owner());
}

task<void> JobControl::look_for_cancels() {
    if (running_.empty()) co_return;
    auto asked = co_await store_.cancels();
    if (!asked) co_return;
    for (const auto& jid : *asked)
        note_cancel(jid);
}

task<Result<std::map<size_t, Error>>> JobControl::refused_commands(std::vector<std::string> jids,
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

task<Result<std::vector<Result<>>>> JobControl::requeue(std::vector<std::string> jids, bool revive,
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
    wakeups_.stir();
    wakeups_.waiters.notify_all();
    for (const auto& jid : asked)
        watchers_.changed(jid);
    co_return results;
}

task<Result<>> JobControl::pause(std::vector<std::string> queues, bool paused) {
    std::vector<std::string> names = queues;
    auto done = co_await store_.pause(std::move(queues), paused);
    if (!done) co_return done;
    for (const auto& queue : names) {
        journal_.paused(queue, paused);
        if (!paused) wakeups_.waiters.notify(queue, "", limits::kConnections);
    }
    co_return done;
}

task<Result<>> JobControl::flush() {
    auto known = co_await store_.queues(false);
    if (!known) co_return tl::unexpected<Error>(known.error());
    auto done = co_await store_.flush();
    if (!done) co_return done;
    journal_.flushed();
    for (auto& [jid, running] : running_.all())
        running.flushed = true;
    std::vector<std::string> all, open;
    for (const auto& queue : *known) {
        all.push_back(queue.name);
        if (!queue.paused) open.push_back(queue.name);
    }
    // A pause makes a queue known.
    if (!all.empty()) done = co_await store_.pause(std::move(all), true);
    if (done && !open.empty()) done = co_await store_.pause(std::move(open), false);
    wakeups_.waiters.notify_all();
    co_return done;
}

std::optional<Error> JobControl::why_held(const JobView& view,
                                          const std::set<std::string>& beating) const {
    const std::string job = "job " + view.job.jid;
    if (view.state != State::running)
        return Error{ErrorCode::conflict,
                     job + " is " + std::string(name(view.state)) + ", so no worker holds it"};
    const bool faktory = view.owner == kFaktoryOwner;
    auto worker = faktory ? nullptr : workers_.by_owner(view.owner);
    const bool there = faktory
                           ? holders_.of(view.job.jid) == Holder::there
                           : OwnerNames::is_process(view.owner) || (worker && !worker->is_gone());
    if (there)
        return Error{ErrorCode::conflict,
                     job + " runs at a connected worker; cancel the job, or stop the worker"};
    if (beating.count(holders_.beat_name_of(view)))
        return Error{ErrorCode::conflict,
                     job + " runs at a connected worker of another jobqd; cancel the job"};
    if (faktory && !running_.contains(view.job.jid))
        return Error{ErrorCode::conflict,
                     job + " was fetched from another jobqd; release it there"};
    if (kept_ends_.holds(view.job.jid))
        return Error{ErrorCode::conflict,
                     job + " has ended, but the store does not know it yet; wait a moment"};
    return std::nullopt;
}

std::set<std::string> JobControl::strangers_of(const std::vector<Result<JobView>>& views) const {
    std::set<std::string> strangers;
    if (!config_.has_shared_store()) return strangers;
    for (const auto& view : views) {
        if (!view || view->state != State::running) continue;
        std::string name = holders_.beat_name_of(*view);
        const bool known = view->owner == kFaktoryOwner
                               ? holders_.of(view->job.jid) == Holder::there
                               : workers_.by_owner(view->owner) != nullptr;
        if (!known && !name.empty()) strangers.insert(std::move(name));
    }
    return strangers;
}

// What became of one of those that were to be taken away.
static Result<> released(const std::string& jid, const Result<std::set<std::string>>& taken,
                         Journal& journal) {
    if (!taken) return tl::unexpected<Error>(taken.error());
    if (!taken->contains(jid))
        return fail(ErrorCode::conflict, "job " + jid + " has ended meanwhile");
    journal.released(jid);
    return {};
}

task<Result<std::vector<Result<>>>> JobControl::release(std::vector<std::string> jids,
                                                        Caller from) {
    auto views = co_await store_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    std::set<std::string> strangers = strangers_of(*views);
    auto beating = co_await holders_.beating_elsewhere(std::move(strangers));
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
            auto taken =
                co_await leases_.take_away(std::move(who), std::move(some), std::move(why));
            for (size_t at = done; at < end; ++at)
                results[places[at]] = released(jids[places[at]], taken, journal_);
        }
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> JobControl::remove(std::vector<std::string> jids) {
    auto removed = co_await store_.remove(std::move(jids));
    co_return removed;
}

task<Result<std::vector<Result<>>>> JobControl::kill(std::vector<std::string> jids) {
    auto killed = co_await store_.kill(std::move(jids));
    co_return killed;
}

task<Result<int64_t>> JobControl::clear(std::string queue, bool forget) {
    auto removed = co_await store_.clear(std::move(queue), forget);
    co_return removed;
}

}  // namespace jobq
