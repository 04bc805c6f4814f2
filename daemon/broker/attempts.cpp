#include "daemon/broker/attempts.h"

#include <algorithm>

#include "core/base/failpoint.h"
#include "core/job/codec.h"
#include "daemon/broker/owner_names.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

FinalRecord final_of(const Running& running, const RunReport& report, const Transition& next) {
    FinalRecord record;
    record.state = next.move == Move::cancel ? State::cancelled : State::succeeded;
    record.type = running.job.type;
    record.queue = running.job.queue;
    record.worker = report.worker.empty() ? running.worker : report.worker;
    record.created_ms = running.job.created_ms;
    record.started_ms = report.started_ms ? report.started_ms : running.started_wall_ms;
    record.finished_ms = report.ended_ms;
    record.attempts = next.record.attempts;
    record.exit_code = report.exit_code;
    record.signal = report.signal;
    record.user_cpu_ms = report.user_cpu_ms;
    record.system_cpu_ms = report.system_cpu_ms;
    record.max_rss_kib = report.max_rss_kib;
    record.tags = running.job.tags;
    record.content = running.content;
    if (next.move == Move::succeed) record.result = report.result;
    if (next.move == Move::succeed) record.result_cut = report.result_cut;
    record.result_is_json = report.result_is_json;
    return record;
}

}  // namespace

Attempts::Attempts(Reactor& reactor, Store& store, const CurrentConfig& config,
                   const TraceNames& traces, WebhookNews& news, RunningTable& running,
                   RecentJids& recent, Wakeups& wakeups, Watchers& watchers, Journal& journal)
    : reactor_(reactor),
      store_(store),
      config_(config),
      traces_(traces),
      news_(news),
      running_(running),
      recent_(recent),
      wakeups_(wakeups),
      watchers_(watchers),
      journal_(journal),
      rng_(random_u64()) {}

Finish Attempts::plan(const Ended& ended, const Running& running) {
    const RunReport& report = ended.report;
    const TypePolicy& policy = config_.policy_of(running.job.type);
    Finish finish;
    finish.owner = ended.owner.empty() ? running.owner() : ended.owner;
    finish.jid = ended.jid;
    finish.token = ended.token.empty() ? running.token() : ended.token;
    if (JOBQ_FAILPOINT(finish_unfenced)) {
        finish.owner = running.owner();
        finish.token = running.token();
    }
    finish.transition =
        decide(running.job, running.record, report, policy, reactor_.wall_ms(), rng_);
    finish.final = final_of(running, report, finish.transition);
    if (JOBQ_FAILPOINT(result_replaced)) finish.final.result = "\"another\"";
    // The least is for a repeat of its enqueue, whose answer was lost.
    finish.retention_ms = std::max(policy.retention_ms, finish.transition.move == Move::dead
                                                            ? limits::kDeadKeepMs
                                                            : limits::kRecordLeastMs);
    bool kept = finish.transition.move == Move::succeed;  // then stdout is the result
    finish.log = encode_output({report.log, kept ? std::string() : report.result, report.log_cut,
                                report.result_cut, report.order});
    finish.attempt = current_attempt(running.record);
    finish.queue = running.job.queue;
    finish.priority = running.job.priority;
    finish.type = running.job.type;
    const Move move = finish.transition.move;
    if (move == Move::retry || move == Move::release || move == Move::snooze) return finish;
    if (auto news = news_.of(info(move).state, running.job, report, finish.transition)) {
        // It is told in the trace of the attempt.
        news->traceparent =
            traces_.traceparent_of(running.job, running.record, running.started_wall_ms);
        finish.follow = std::move(news);
    }
    return finish;
}

void Attempts::note_found(JobView view, const std::string& worker) {
    Leased lease;
    lease.job = std::move(view.job);
    lease.record = std::move(view.record);
    lease.token = view.token;
    lease.started_ms = view.started_ms;
    Running& known = running_.add(lease, view.owner, worker);
    known.cancel_asked = view.cancel_asked;
    if (view.owner != kFaktoryOwner) return;
    // What has passed of it counts; a clock that was set back can't make it longer.
    const int64_t now = reactor_.now_ms();
    const int64_t passed = std::max<int64_t>(0, reactor_.wall_ms() - known.started_wall_ms);
    known.lease_ends_ms = std::max(now + config_.reserve_ms(lease.job) - passed, now);
}

task<Result<>> Attempts::find_running(std::string jid, std::string worker) {
    if (running_.contains(jid)) co_return Result<>{};
    std::vector<std::string> one{jid};
    auto views = co_await store_.get(std::move(one));
    if (!views) co_return tl::unexpected<Error>(views.error());
    auto& view = views->front();
    if (!view || view->state != State::running)
        co_return fail(ErrorCode::lease_lost, "job " + jid + " is not running");
    if (!running_.contains(jid)) note_found(std::move(*view), worker);
    co_return Result<>{};
}

task<std::vector<Result<>>> Attempts::finish(std::vector<Ended> batch) {
    std::vector<Result<>> results(batch.size());
    std::vector<Finish> finishes;
    std::vector<Planned> planned;
    finishes.reserve(batch.size());
    planned.reserve(batch.size());
    int64_t now = reactor_.wall_ms();
    for (size_t i = 0; i < batch.size(); ++i) {
        auto& one = batch[i];
        if (!running_.contains(one.jid)) {
            auto found = co_await find_running(one.jid, one.report.worker);
            if (!found) {
                results[i] = tl::unexpected<Error>(found.error());
                continue;
            }
        }
        const Running* known = running_.find(one.jid);
        // A late report: its reservation has expired, and the job now runs under a lease with a
        // token, or for another worker.
        if (one.token.empty() &&
            (known->owner() != kFaktoryOwner ||
             is_of_earlier_attempt(known->record, known->worker, one.report.worker))) {
            results[i] =
                fail(ErrorCode::lease_lost, "job " + one.jid + " belongs to another worker now");
            continue;
        }
        if (one.report.ended_ms == 0) one.report.ended_ms = now;
        const Finish& finish = finishes.emplace_back(plan(one, *known));
        const Transition& next = finish.transition;
        planned.push_back({i, next.move, next.at_ms, next.record.reason, finish.queue,
                           finish.token == known->token() ? known->serial() : 0, finish.follow});
    }
    if (finishes.empty()) co_return results;

    auto stored = co_await store_.finish(std::move(finishes));
    if (!stored) {
        wakeups_.note_unknown(stored.error());
        for (const auto& plan : planned)
            results[plan.index] = tl::unexpected<Error>(stored.error());
        co_return results;
    }
    std::vector<size_t> to_cancel;
    for (size_t k = 0; k < planned.size(); ++k) {
        size_t i = planned[k].index;
        results[i] = std::move((*stored)[k]);
        if (!results[i] && results[i].error().code == ErrorCode::cancelled) {
            to_cancel.push_back(i);
            continue;
        }
        if (!results[i]) wakeups_.note_unknown(results[i].error());
        if (results[i]) wake_after(planned[k]);
        bool over = results[i] || results[i].error().code == ErrorCode::lease_lost;
        if (!over) continue;
        auto node = running_.take(batch[i].jid, planned[k].serial);
        if (results[i] && node) ended(batch[i], planned[k], node.mapped());
    }
    if (!to_cancel.empty()) co_await finish_cancelled(batch, to_cancel, &results);
    co_return results;
}

// A cancel came while it ran, and it did not succeed: it ends as cancelled.
task<void> Attempts::finish_cancelled(std::vector<Ended> batch, std::vector<size_t> which,
                                      std::vector<Result<>>* results) {
    std::vector<Ended> again;
    for (size_t i : which) {
        Ended one = std::move(batch[i]);
        one.report.outcome = Outcome::cancelled;
        again.push_back(std::move(one));
    }
    auto cancelled = co_await finish(std::move(again));
    for (size_t k = 0; k < which.size(); ++k)
        (*results)[which[k]] = std::move(cancelled[k]);
}

// Also when it is not known here any more: others may have looked for it meanwhile.
void Attempts::wake_after(const Planned& next) {
    if (next.move == Move::release) {
        wakeups_.waiters.notify(next.queue, "", 1);
    } else if (next.at_ms != 0) {
        wakeups_.schedule.due(next.at_ms);
    }
}

// Requires: the store took it.
void Attempts::ended(const Ended& what, const Planned& next, const Running& running) {
    const RunReport& report = what.report;
    if (next.move == Move::drop) recent_.dropped(what.jid, running.content, reactor_.now_ms());
    wakeups_.stir();
    if (running.output) running.output->changed.notify_all();
    watchers_.changed(what.jid);
    journal_.ended({running.job, running.record, running.started_wall_ms, report, next.move,
                    next.reason, report.worker.empty() ? running.worker : report.worker, next.at_ms,
                    next.follow.get()});
}

task<std::vector<Result<>>> Attempts::finish_surely(std::vector<Ended> batch,
                                                    std::function<bool()> give_up) {
    std::vector<Result<>> results(batch.size());
    std::vector<size_t> open(batch.size());
    for (size_t i = 0; i < open.size(); ++i)
        open[i] = i;
    int64_t pause_ms = 20;
    bool told = false;
    while (!open.empty()) {
        std::vector<Ended> again;
        for (size_t i : open)
            again.push_back(batch[i]);
        auto answers = co_await finish(std::move(again));
        std::vector<size_t> still;
        for (size_t k = 0; k < open.size(); ++k) {
            results[open[k]] = std::move(answers[k]);
            const auto& result = results[open[k]];
            if (!result && !is_final(result.error().code)) still.push_back(open[k]);
        }
        open = std::move(still);
        if (open.empty() || give_up()) break;
        // That Redis refuses, or is away, is told elsewhere.
        const Error& why = results[open.front()].error();
        if (!info(why.code).retryable && !std::exchange(told, true))
            log(LogLevel::warn, "job.finish_delayed", why.text + "; it will be sent again",
                {{"jid", batch[open.front()].jid}, {"jobs", int64_t(open.size())}});
        co_await sleep_for(reactor_, pause_ms);
        pause_ms = std::min<int64_t>(2 * pause_ms, 1'000);
    }
    co_return results;
}

}  // namespace jobq
