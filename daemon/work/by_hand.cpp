// Broker: what people do to jobs and queues: cancel, requeue, release, pause, flush.
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

task<Result<std::vector<Result<>>>> Broker::requeue(std::vector<std::string> jids, bool revive) {
    std::vector<std::string> asked = jids;
    auto results = co_await store_.requeue(std::move(jids), revive);
    if (!results) co_return results;
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
                     job + " is " + std::string(name(view.state)) + ": nobody holds it"};
    auto known = running_.find(view.job.jid);
    auto worker = view.owner != "faktory"   ? workers_.by_owner(view.owner)
                  : known == running_.end() ? nullptr
                                            : workers_.find(known->second.worker);
    const bool alive = worker && !worker->gone && worker->connections > 0;
    if (alive || is_process(view.owner))
        return Error{ErrorCode::conflict,
                     job + " runs at a worker that is there: cancel it, or end the worker"};
    if (beating.count(view.owner))
        return Error{ErrorCode::conflict,
                     job + " runs at a worker of another jobqd, which is there: cancel it"};
    if (view.owner == "faktory" && known == running_.end())
        return Error{ErrorCode::conflict,
                     job + " was taken through another jobqd: release it there"};
    return std::nullopt;
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

task<Result<std::vector<Result<>>>> Broker::release(std::vector<std::string> jids) {
    auto views = co_await store_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    std::set<std::string> strangers;
    for (const auto& view : *views)
        if (view && view->state == State::running && view->owner != "faktory" &&
            !config_->redis.url.empty() && !workers_.by_owner(view->owner))
            strangers.insert(view->owner);
    auto beating = co_await beating_elsewhere(std::move(strangers));
    std::vector<Result<>> results(jids.size());
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        if (!view) {
            results[i] = tl::unexpected<Error>(view.error());
            continue;
        }
        if (auto why = why_held(*view, beating)) {
            results[i] = tl::unexpected<Error>(std::move(*why));
            continue;
        }
        std::vector<LeaseName> one(1);
        one[0].jid = jids[i];
        one[0].token = view->token;
        std::string owner = view->owner, why = "its lease was ended by hand";
        auto taken = co_await take_away(std::move(owner), std::move(one), std::move(why));
        if (!taken) {
            results[i] = tl::unexpected<Error>(taken.error());
        } else if (taken->empty()) {
            results[i] = fail(ErrorCode::conflict, "job " + jids[i] + " has ended meanwhile");
        } else {
            log(LogLevel::info, "job.release", "", {{"jid", jids[i]}});
        }
    }
    co_return results;
}

}  // namespace jobq
