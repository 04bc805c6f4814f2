#include "daemon/broker/dispatch.h"

#include <algorithm>
#include <utility>

#include "daemon/broker/intake_rules.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

// Whether the job it was woken for is not among them. What it was woken for is not known when
// everybody was.
bool left_lying(const Waiters::Ticket& ticket, const std::vector<Leased>& leases) {
    if (!ticket.woken || ticket.queue.empty()) return false;
    return std::none_of(leases.begin(), leases.end(), [&ticket](const Leased& lease) {
        return lease.job.queue == ticket.queue &&
               (ticket.type.empty() || lease.job.type == ticket.type);
    });
}

}  // namespace

Dispatch::Dispatch(Reactor& reactor, Store& store, const Workers& workers,
                   const CurrentConfig& config, const OwnerNames& names, HandlerKnown handler_known,
                   WebhookNews& news, RunningTable& running, Wakeups& wakeups, Watchers& watchers,
                   Journal& journal, Returns& returns)
    : reactor_(reactor),
      store_(store),
      workers_(workers),
      config_(config),
      names_(names),
      handler_known_(std::move(handler_known)),
      news_(news),
      running_(running),
      wakeups_(wakeups),
      watchers_(watchers),
      journal_(journal),
      returns_(returns) {}

void Dispatch::note_running(const Leased& lease, const FetchOrder& order) {
    Running& running = running_.add(lease, order.owner, order.worker);
    running.connection = order.connection;
    if (order.lease_per_job)
        running.lease_ends_ms = reactor_.now_ms() + config_.reserve_ms(lease.job);
}

void Dispatch::started(const std::string& jid, const std::string& token, int64_t now_ms) {
    const Running* known = running_.find(jid);
    if (known && known->token() == token) announce_start(*known, now_ms);
}

void Dispatch::announce_start(const Running& running, int64_t now_ms) {
    journal_.started({running.job, running.record, running.worker, now_ms});
}

void Dispatch::add_throttles(FetchRequest& request, const std::string& worker) const {
    if (config_->queues.empty()) return;
    for (const auto& name : request.queues) {
        auto queue = config_->queues.find(name);
        if (queue == config_->queues.end()) continue;
        Throttle throttle{queue->second.concurrency, queue->second.worker_concurrency};
        if (throttle != Throttle{}) request.throttles[name] = throttle;
    }
    if (!request.throttles.empty()) request.worker = worker;
}

void Dispatch::count_alarmed(const std::vector<Leased>& leases) {
    for (const auto& lease : leases)
        if (enqueued_ms(lease.job, lease.record, reactor_.wall_ms()) < count_before_ms_)
            ++taken_[lease.job.queue];
}

FetchRequest Dispatch::request_of(const FetchOrder& order) {
    FetchRequest request;
    request.owner = order.owner;
    request.queues = order.queues;
    request.count = order.count;
    request.types = order.types;
    add_throttles(request, order.worker);
    request.token = names_.epoch() + "-" + std::to_string(++fetches_);
    return request;
}

task<Result<std::vector<Leased>>> Dispatch::fetch(FetchOrder order,
                                                  std::shared_ptr<Waiters::Ticket> ticket) {
    int64_t deadline = reactor_.now_ms() + order.wait_ms;
    uint64_t passed_on = 0;
    std::vector<Leased> leases;
    ticket->woken = ticket->alarmed = false;
    while (!ticket->interrupted && (!order.allowed || order.allowed())) {
        if (order.types_now) order.types = order.types_now();
        uint64_t seen = wakeups_.waiters.pushes(order.queues, order.types);
        FetchRequest request = request_of(order);
        const bool throttled = !request.throttles.empty();
        std::string token = request.token;
        auto fetched = co_await store_.fetch(std::move(request));
        if (!fetched) {
            if (fetched.error().code == ErrorCode::unknown) returns_.look_for(token);
            co_return fetched;
        }
        const bool met = !fetched->empty();
        leases = co_await keep_runnable(std::move(*fetched), order.owner);
        if (!leases.empty()) break;
        if (met) continue;  // those were over before they began: there may be others behind them
        int64_t left = deadline - reactor_.now_ms();
        if (left <= 0) break;
        if (throttled && ticket->woken && passed_on != seen) {
            passed_on = seen;  // its worker may run no more of them, another may
            wakeups_.waiters.pass_on(*ticket);
        }
        co_await wakeups_.waiters.wait(order.queues, order.types, seen, left, ticket);
    }
    // The next in line has what this one was woken for and leaves: it took another, or goes.
    if (left_lying(*ticket, leases)) wakeups_.waiters.pass_on(*ticket);
    if (ticket->alarmed && count_before_ms_ != 0) count_alarmed(leases);
    for (const auto& lease : leases)
        note_running(lease, order);
    if (ticket->interrupted && !leases.empty()) {
        // Whoever asked has gone meanwhile: nobody else would start these before the lease ends.
        co_await returns_.hand_back(std::move(leases), order.owner);
        leases.clear();
    }
    const int64_t now = reactor_.wall_ms();
    for (const auto& lease : leases)
        if (const Running* known = running_.find(lease.job.jid); known && !order.tells_starts)
            announce_start(*known, now);
    co_return leases;
}

task<Result<Promoted>> Dispatch::promote() {
    auto promoted = co_await store_.promote(reactor_.wall_ms(), int(limits::kScriptJobs));
    if (!promoted) {
        wakeups_.note_unknown(promoted.error());
        co_return promoted;
    }
    if (!promoted->queues.empty()) wakeups_.stir();
    for (const auto& [queue, count] : promoted->queues)
        wakeups_.waiters.notify(queue, "", count);
    co_return promoted;
}

std::string Dispatch::why_no_handler(const std::string& type, const std::string& queue) const {
    if (handler_known_(type, queue)) return {};
    for (const auto& worker : workers_.all())
        if (worker->kind == WorkerKind::remote ||
            (worker->kind == WorkerKind::faktory && !worker->is_gone()))
            return {};
    return "nothing here runs jobs of type " + type + " from queue " + queue + " yet; " +
           intake::handler_advice(type, queue, *config_);
}

Finish Dispatch::bury(Unstarted& one, const std::string& owner) {
    const Leased& lease = one.lease;
    Finish finish = finish_of(lease, owner);
    const int64_t now = reactor_.wall_ms();
    finish.transition.move = Move::dead;
    finish.transition.record = lease.corrupt ? buried(lease.record, one.why, now)
                                             : unstarted(lease.record, "forbidden", one.why, now);
    one.reason = finish.transition.record.reason;
    return finish;
}

Finish Dispatch::drop(const Unstarted& one, const std::string& owner) {
    const Job& job = one.lease.job;
    Finish finish = finish_of(one.lease, owner);
    finish.transition.move = Move::drop;
    finish.final.state = State::expired;
    finish.final.type = job.type;
    finish.final.queue = job.queue;
    finish.final.created_ms = job.created_ms;
    finish.final.finished_ms = reactor_.wall_ms();
    finish.final.tags = job.tags;
    finish.final.content = content_of(job);
    finish.follow = news_.of("expired", job, {}, finish.transition);
    return finish;
}

task<std::vector<Leased>> Dispatch::keep_runnable(std::vector<Leased> leases, std::string owner) {
    std::vector<Leased> runnable;
    std::vector<Unstarted> others;
    const int64_t now = reactor_.wall_ms();
    for (auto& lease : leases) {
        const bool expired = lease.job.expires_ms != 0 && lease.job.expires_ms <= now;
        // Stored while commands were allowed: they are not now, so it does not run.
        auto refused = expired || lease.corrupt
                           ? std::nullopt
                           : intake::type_refusal(Caller{}, lease.job.type, *config_);
        if (!expired && !lease.corrupt && !refused) {
            runnable.push_back(std::move(lease));
            continue;
        }
        running_.remove(lease.job.jid);  // of an earlier lease
        std::string why = lease.corrupt ? lease.damage : refused ? refused->text : "";
        others.push_back({std::move(lease), std::move(why)});
    }
    if (!others.empty()) co_await end_unstarted(std::move(others), std::move(owner));
    co_return runnable;
}

task<void> Dispatch::end_unstarted(std::vector<Unstarted> jobs, std::string owner) {
    std::vector<Finish> ended;
    for (auto& one : jobs)
        ended.push_back(one.lease.corrupt || !one.why.empty() ? bury(one, owner)
                                                              : drop(one, owner));
    auto done = co_await store_.finish(std::move(ended));
    for (size_t i = 0; i < jobs.size(); ++i) {
        const std::string& jid = jobs[i].lease.job.jid;
        const std::string& token = jobs[i].lease.token;
        running_.remove(jid, token);  // by a report that came meanwhile
        const Error* error = !done ? &done.error() : !(*done)[i] ? &(*done)[i].error() : nullptr;
        if (!error) report_unstarted(jobs[i]);
        if (!error || is_final(error->code)) continue;
        log(LogLevel::warn, "job.expire_failed", error->text, {{"jid", jid}});
        returns_.look_for(token, jid);
    }
}

void Dispatch::report_unstarted(const Unstarted& one) {
    const Leased& lease = one.lease;
    if (one.reason.empty()) {
        journal_.expired(lease.job);
    } else {
        journal_.buried({lease.job, lease.record, one.reason, one.why, lease.corrupt});
    }
    watchers_.changed(lease.job.jid);
}

}  // namespace jobq
