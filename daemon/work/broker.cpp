// Broker: into the store and out of it.
#include "daemon/work/broker.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "daemon/observe/log.h"

namespace jobq {

Broker::Broker(Reactor& reactor, Store& store, Events& events, Workers& workers,
               std::shared_ptr<const Config> config)
    : reactor_(reactor),
      store_(store),
      events_(events),
      workers_(workers),
      config_(std::move(config)),
      waiters_(reactor),
      rng_(random_u64()),
      kept_ends_(reactor, *this) {
    store_.on_ready([this](const std::string& queue) { hinted(queue); });
    uint64_t random = random_u64();
    epoch_ = hex({reinterpret_cast<const char*>(&random), 6});
}

const TypePolicy& Broker::policy_of(const std::string& type) const {
    static const TypePolicy kDefault;
    if (type == kWebhookType) return config_->webhook.policy;
    auto found = config_->types.find(type);
    return found == config_->types.end() ? kDefault : found->second.policy;
}

void Broker::note_event(std::string_view event, const Job& job,
                        std::initializer_list<std::pair<std::string_view, std::string>> more) {
    if (!events_.wanted(event)) return;
    std::string json = "{\"time\":\"" + format_rfc3339(reactor_.wall_ms()) + "\",\"event\":\"" +
                       std::string(event) + "\",\"jid\":" + json_quoted(job.jid) +
                       ",\"type\":" + json_quoted(job.type) +
                       ",\"queue\":" + json_quoted(job.queue);
    for (const auto& [key, value] : more)
        json.append(",\"").append(key).append("\":") += value;
    events_.publish({std::string(event), json + "}", job.queue, job.type});
}

std::optional<Error> Broker::enqueue_refusal(const Job& job, const Caller& caller) const {
    if (intake_closed_) return intake::shutting_down();
    if (auto why = intake::durability_refusal(job, storage_ ? storage_->durability() : "unknown",
                                              *config_))
        return why;
    return intake::refusal(caller, job, *config_);
}

std::optional<Result<Enqueued>> Broker::settled(const Job& job, const Caller& caller) const {
    if (auto why = enqueue_refusal(job, caller)) {
        if (metrics_) metrics_->refused(info(why->code).name);
        return tl::unexpected<Error>(std::move(*why));
    }
    // It left no record in which the store could find it.
    if (!recent_.none_dropped() && job.reuse == Reuse::plain &&
        recent_.was_dropped(job.jid, content_of(job), reactor_.now_ms()))
        return Enqueued{Enqueued::How::same, job.jid, State::dead};
    return std::nullopt;
}

task<std::vector<Result<Enqueued>>> Broker::enqueue(std::vector<Job> jobs, Caller from) {
    std::vector<std::pair<size_t, Result<Enqueued>>> known;
    for (size_t i = 0; i < jobs.size(); ++i)
        if (auto answer = settled(jobs[i], from)) known.emplace_back(i, std::move(*answer));
    if (known.empty()) co_return co_await enqueue_able(std::move(jobs));
    for (auto it = known.rbegin(); it != known.rend(); ++it)
        jobs.erase(jobs.begin() + long(it->first));
    std::vector<Result<Enqueued>> results;
    if (!jobs.empty()) results = co_await enqueue_able(std::move(jobs));
    for (auto& [at, answer] : known)
        results.insert(results.begin() + long(at), std::move(answer));
    co_return results;
}

void Broker::note_recent(std::vector<Job>& jobs) {
    const int64_t now = reactor_.now_ms(), wall = reactor_.wall_ms();
    for (auto& job : jobs) {
        const bool seen = recent_.see(job.jid, now);
        if (job.reuse == Reuse::again) continue;
        job.may_be_known |= seen;
        if (job.reuse == Reuse::plain || job.may_be_known) continue;
        // Ids that jobq makes hold their time: of those made now the store need not be asked.
        const auto made = id_time_ms(job.jid);
        job.may_be_known = !made || std::abs(wall - *made) > limits::kFreshIdMs;
    }
    if (JOBQ_FAILPOINT(repeat_is_new))
        for (auto& job : jobs)
            job.may_be_known = false;
}

task<std::vector<Result<Enqueued>>> Broker::enqueue_able(std::vector<Job> jobs) {
    const bool told = events_.wanted("enqueued") || log_enabled(LogLevel::debug);
    const bool traced = tracer_ != nullptr;
    note_recent(jobs);
    std::vector<Job> heads;  // what is needed of each afterwards
    heads.reserve(jobs.size());
    for (const auto& job : jobs) {
        Job& head = heads.emplace_back();
        head.queue = job.queue;
        head.run_at_ms = job.run_at_ms;
        head.type = job.type;
        if (!told && !traced) continue;
        head.jid = job.jid;
        head.created_ms = job.created_ms;
        head.traceparent = job.traceparent;
    }
    auto stored = co_await store_.enqueue(std::move(jobs));
    if (!stored) {
        note_unknown(stored.error());
        for (size_t i = 0; metrics_ && i < heads.size(); ++i)
            metrics_->refused(info(stored.error().code).name);
        std::vector<Result<Enqueued>> failed(heads.size(), tl::unexpected<Error>(stored.error()));
        co_return failed;
    }

    stir();
    Counts ready;
    for (size_t i = 0; i < heads.size(); ++i) {
        const auto& result = (*stored)[i];
        if (!result) note_unknown(result.error());
        if (!result && metrics_) metrics_->refused(info(result.error().code).name);
        if (!result || result->how != Enqueued::How::stored) continue;
        ++counted.enqueued;
        if (metrics_) metrics_->enqueued(heads[i].queue, heads[i].type);
        if (traced && tracer_) tracer_->enqueued(heads[i]);
        if (result->state == State::ready) {
            ++ready[{heads[i].queue, heads[i].type}];
        } else if (on_due_) {
            on_due_(heads[i].run_at_ms);
        }
        if (!told) continue;
        note_event("enqueued", heads[i], {{"state", json_quoted(name(result->state))}});
        if (log_enabled(LogLevel::debug))
            log(LogLevel::debug, "job.enqueued", "",
                {{"jid", heads[i].jid},
                 {"type", heads[i].type},
                 {"queue", heads[i].queue},
                 {"trace_id", trace_id_of(heads[i])}});
    }
    notify(ready);
    if (JOBQ_FAILPOINT(stored_but_refused))
        stored->front() = fail(ErrorCode::unavailable, "the store is unavailable");
    co_return std::move(*stored);
}

void Broker::notify(const Counts& ready) {
    for (const auto& [what, count] : ready)
        waiters_.notify(what.first, what.second, count);
}

void Broker::note_running(const Leased& lease, const FetchOrder& order) {
    Running running;
    running.job = head_of(lease.job);
    running.content = content_of(lease.job);
    running.record = lease.record;
    running.owner = order.owner;
    running.token = lease.token;
    running.worker = order.worker;
    running.connection = order.connection;
    running.started_wall_ms = lease.started_ms;
    if (order.lease_per_job) {
        int64_t seconds =
            lease.job.reserve_for_s == 0 ? limits::kReserveDefaultS : lease.job.reserve_for_s;
        int64_t lease_ms = std::min(seconds, limits::kReserveMaxS) * 1000;
        running.lease_ends_ms = reactor_.now_ms() + std::max(lease_ms, config_->reserve_min_ms);
    }
    running.serial = ++serials_;
    running_.insert_or_assign(lease.job.jid, std::move(running));
}

void Broker::started(const std::string& jid, const std::string& token, int64_t now_ms) {
    const Running* known = running(jid);
    if (known && known->token == token) announce_start(*known, now_ms);
}

void Broker::announce_start(const Running& running, int64_t now_ms) {
    const Job& job = running.job;
    if (metrics_) {
        const int64_t since = enqueued_ms(job, running.record, now_ms);
        metrics_->started(job.queue, job.type,
                          since == 0 ? 0 : std::max<int64_t>(0, now_ms - since));
    }
    if (!events_.wanted("started") && !log_enabled(LogLevel::debug)) return;
    int attempt = current_attempt(running.record);
    note_event("started", job,
               {{"attempt", std::to_string(attempt)}, {"worker", json_quoted(running.worker)}});
    if (log_enabled(LogLevel::debug))
        log(LogLevel::debug, "job.started", "",
            {{"jid", job.jid},
             {"type", job.type},
             {"queue", job.queue},
             {"attempt", int64_t(attempt)},
             {"worker", running.worker},
             {"trace_id", trace_id_of(job)}});
}

void Broker::add_throttles(FetchRequest& request, const std::string& worker) const {
    if (config_->queues.empty()) return;
    for (const auto& name : request.queues) {
        auto queue = config_->queues.find(name);
        if (queue == config_->queues.end()) continue;
        Throttle throttle{queue->second.concurrency, queue->second.worker_concurrency};
        if (throttle != Throttle{}) request.throttles[name] = throttle;
    }
    if (!request.throttles.empty()) request.worker = worker;
}

// Whether the job it was woken for is not among them. What it was woken for is not known when
// everybody was.
static bool left_lying(const Waiters::Ticket& ticket, const std::vector<Leased>& leases) {
    if (!ticket.woken || ticket.queue.empty()) return false;
    return std::none_of(leases.begin(), leases.end(), [&ticket](const Leased& lease) {
        return lease.job.queue == ticket.queue &&
               (ticket.type.empty() || lease.job.type == ticket.type);
    });
}

void Broker::count_alarmed(const std::vector<Leased>& leases) {
    for (const auto& lease : leases)
        if (enqueued_ms(lease.job, lease.record, reactor_.wall_ms()) < count_before_ms_)
            ++taken_[lease.job.queue];
}

task<Result<std::vector<Leased>>> Broker::fetch(FetchOrder order,
                                                std::shared_ptr<Waiters::Ticket> ticket) {
    int64_t deadline = reactor_.now_ms() + order.wait_ms;
    uint64_t passed_on = 0;
    std::vector<Leased> leases;
    ticket->woken = ticket->alarmed = false;
    while (!ticket->interrupted && (!order.allowed || order.allowed())) {
        if (order.types_now) order.types = order.types_now();
        uint64_t seen = waiters_.pushes(order.queues, order.types);
        FetchRequest request;
        request.owner = order.owner;
        request.queues = order.queues;
        request.count = order.count;
        request.types = order.types;
        add_throttles(request, order.worker);
        const bool throttled = !request.throttles.empty();
        request.token = epoch_ + "-" + std::to_string(++fetches_);
        std::string token = request.token;
        auto fetched = co_await store_.fetch(std::move(request));
        if (!fetched) {
            if (fetched.error().code == ErrorCode::unknown) look_for_lost(token);
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
            waiters_.pass_on(*ticket);
        }
        co_await waiters_.wait(order.queues, order.types, seen, left, ticket);
    }
    // The next in line has what this one was woken for and leaves: it took another, or goes.
    if (left_lying(*ticket, leases)) waiters_.pass_on(*ticket);
    if (ticket->alarmed && count_before_ms_ != 0) count_alarmed(leases);
    for (const auto& lease : leases)
        note_running(lease, order);
    if (ticket->interrupted && !leases.empty()) {
        // Whoever asked has gone meanwhile: nobody else would start these before the lease ends.
        co_await hand_back(std::move(leases), order.owner);
        leases.clear();
    }
    const int64_t now = reactor_.wall_ms();
    for (const auto& lease : leases)
        if (!order.tells_starts) announce_start(running_.at(lease.job.jid), now);
    co_return leases;
}

task<Result<Promoted>> Broker::promote() {
    auto promoted = co_await store_.promote(reactor_.wall_ms(), int(limits::kScriptJobs));
    if (!promoted) {
        note_unknown(promoted.error());
        co_return promoted;
    }
    if (!promoted->queues.empty()) stir();
    for (const auto& [queue, count] : promoted->queues)
        waiters_.notify(queue, "", count);
    co_return promoted;
}

std::string Broker::why_no_handler(const std::string& type, const std::string& queue) const {
    if (handler_known_ && handler_known_(type, queue)) return {};
    for (const auto& worker : workers_.all())
        if (worker->kind == WorkerKind::remote ||
            (worker->kind == WorkerKind::faktory && !worker->is_gone()))
            return {};
    return "nothing here runs jobs of type " + type + " from queue " + queue +
           " yet; configure [type." + type +
           "] run = [...] and a pool with that queue, or start "
           "a worker for it";
}

}  // namespace jobq
