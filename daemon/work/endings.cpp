// Broker: what becomes of attempts. decide() says it, one call of the store does it, and those who
// wait for the job are told.
#include <algorithm>

#include "core/base/failpoint.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/codec.h"
#include "core/store/keys.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

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
    record.result_is_json = report.result_is_json;
    return record;
}

// When the attempt ran, to the microsecond where the one who ran it said it so.
std::string quoted_time(int64_t us, int64_t ms) {
    return json_quoted(format_rfc3339_us(us != 0 ? us : ms * 1000));
}

}  // namespace

Finish Broker::plan(const Ended& ended, const Running& running, const RunReport& report) {
    const TypePolicy& policy = policy_of(running.job.type);
    Finish finish;
    finish.owner = ended.owner.empty() ? running.owner : ended.owner;
    finish.jid = ended.jid;
    finish.token = ended.token.empty() ? running.token : ended.token;
    if (JOBQ_FAILPOINT(finish_unfenced)) {
        finish.owner = running.owner;
        finish.token = running.token;
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
    finish.log = encode_output({report.log, kept ? std::string() : report.result});
    finish.attempt = current_attempt(running.record);
    finish.queue = running.job.queue;
    finish.priority = running.job.priority;
    finish.type = running.job.type;
    const Move move = finish.transition.move;
    if (move != Move::retry && move != Move::release && move != Move::snooze)
        finish.follow = news_of(info(move).state, running.job, report, finish.transition);
    if (tracer_ && finish.follow) {
        // The news is told in the trace of the attempt.
        auto news = std::make_shared<Job>(*finish.follow);
        news->traceparent =
            tracer_->traceparent_of(running.job, running.record, running.started_wall_ms);
        finish.follow = std::move(news);
    }
    return finish;
}

// Fills the cache from the store, for an attempt that an earlier process of ours handed out.
task<Result<>> Broker::find_running(Ended ended) {
    if (running_.count(ended.jid)) co_return Result<>{};
    std::vector<std::string> one{ended.jid};
    auto views = co_await store_.get(std::move(one));
    if (!views) co_return tl::unexpected<Error>(views.error());
    auto& view = views->front();
    if (!view || view->state != State::running)
        co_return fail(ErrorCode::lease_lost, "job " + ended.jid + " is not running");
    if (running_.count(ended.jid)) co_return Result<>{};
    note_found(std::move(*view), ended.report.worker);
    co_return Result<>{};
}

task<std::vector<Result<>>> Broker::finish(std::vector<Ended> batch) {
    std::vector<Result<>> results(batch.size());
    std::vector<Finish> finishes;
    std::vector<Planned> planned;
    finishes.reserve(batch.size());
    planned.reserve(batch.size());
    int64_t now = reactor_.wall_ms();
    for (size_t i = 0; i < batch.size(); ++i) {
        auto& one = batch[i];
        Running* known = running(one.jid);
        if (!known) {
            auto found = co_await find_running(one);
            if (!found) {
                results[i] = tl::unexpected<Error>(found.error());
                continue;
            }
            known = running(one.jid);
        }
        // Late, of a reservation that is over: who runs it now has a token, or is another worker.
        if (one.token.empty() &&
            (known->owner != "faktory" ||
             is_of_earlier_attempt(known->record, known->worker, one.report.worker))) {
            results[i] =
                fail(ErrorCode::lease_lost, "job " + one.jid + " belongs to another worker now");
            continue;
        }
        if (one.report.ended_ms == 0) one.report.ended_ms = now;
        const Finish& finish = finishes.emplace_back(plan(one, *known, one.report));
        const Transition& next = finish.transition;
        planned.push_back({i, next.move, next.at_ms, finish.attempt, next.record.reason,
                           finish.queue, finish.token == known->token ? known->serial : 0,
                           finish.follow});
    }
    if (finishes.empty()) co_return results;

    auto stored = co_await store_.finish(std::move(finishes));
    if (!stored) {
        note_unknown(stored.error());
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
        if (!results[i]) note_unknown(results[i].error());
        if (results[i]) wake_after(planned[k]);
        bool over = results[i] || results[i].error().code == ErrorCode::lease_lost;
        auto known = running_.find(batch[i].jid);
        if (!over || known == running_.end() || known->second.serial != planned[k].serial) continue;
        auto node = running_.extract(known);
        if (results[i]) ended(batch[i], planned[k], node.mapped());
    }
    if (!to_cancel.empty()) co_await finish_cancelled(batch, to_cancel, &results);
    co_return results;
}

// A cancel came while it ran, and it did not succeed: it ends as cancelled.
task<void> Broker::finish_cancelled(std::vector<Ended> batch, std::vector<size_t> which,
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
void Broker::wake_after(const Planned& next) {
    if (next.move == Move::release) {
        waiters_.notify(next.queue, "", 1);
    } else if (next.at_ms != 0 && on_due_) {
        on_due_(next.at_ms);
    }
}

// Requires: the store took it.
void Broker::ended(const Ended& what, const Planned& next, const Running& running) {
    const RunReport& report = what.report;
    ++counted.finished;
    if (next.move == Move::drop) recent_.dropped(what.jid, running.content, reactor_.now_ms());
    stir();
    for (const auto& live : {running.out, running.err})
        if (live) live->changed.notify_all();
    changed(what.jid);
    int64_t began = report.started_ms ? report.started_ms : running.started_wall_ms;
    int64_t duration = std::max<int64_t>(0, report.ended_ms - began);
    if (metrics_)
        metrics_->ended(running.job.queue, running.job.type, name(report.outcome),
                        next.move == Move::dead ? std::string_view(next.reason) : "",
                        next.move == Move::retry, duration);
    const std::string& worker = report.worker.empty() ? running.worker : report.worker;
    if (tracer_)
        tracer_->ended({running.job, running.record, running.started_wall_ms, report, next.move,
                        next.reason, worker});
    if (tracer_ && next.follow) tracer_->enqueued(*next.follow);
    bool good = next.move == Move::succeed || next.move == Move::release;
    LogLevel level = next.move == Move::dead ? LogLevel::warn : LogLevel::info;
    const std::string event(info(next.move).event);
    if (!events_.wanted(event) && !log_enabled(level)) return;
    if (events_.wanted(event))
        note_event(event, running.job,
                   {{"attempt", std::to_string(next.attempt)},
                    {"outcome", json_quoted(name(report.outcome))},
                    {"started_at", quoted_time(report.started_us, began)},
                    {"ended_at", quoted_time(report.ended_us, report.ended_ms)},
                    {"duration_ms", std::to_string(duration)},
                    {"worker", json_quoted(worker)}});
    if (!log_enabled(level)) return;
    std::string message = good ? "" : report.message;
    if (next.move == Move::dead) message += " (dead: " + next.reason + ")";
    if (next.move == Move::retry) message += " (retry at " + format_rfc3339(next.at_ms) + ")";
    log(level, "job." + event, message,
        {{"jid", what.jid},
         {"type", running.job.type},
         {"queue", running.job.queue},
         {"attempt", int64_t(next.attempt)},
         {"worker", worker},
         {"duration_ms", duration},
         {"outcome", std::string(name(report.outcome))},
         {"trace_id", trace_id_of(running.job)}});
}

// `owner` "": told when it runs here, and once.
void Broker::tell_cancel(const std::string& jid, const std::string& owner) {
    Running* known = running(jid);
    if (owner.empty() && (!known || known->cancel_asked)) return;
    if (known) known->cancel_asked = true;
    auto worker = workers_.by_owner(owner.empty() ? known->owner : owner);
    if (!worker) return;
    worker->cancel.push_back(jid);
    worker->notice.notify_all();
}

task<void> Broker::look_for_cancels() {
    if (running_.empty()) co_return;
    auto asked = co_await store_.cancels();
    if (!asked) co_return;
    for (const auto& jid : *asked)
        tell_cancel(jid, "");
}

void Broker::hinted(const std::string& hint) {
    if (hint.empty()) {
        if (on_due_) on_due_(0);
        return;
    }
    if (hint[0] == kJobHint) {
        const auto words = split(std::string_view(hint).substr(1), ' ');
        for (size_t i = 1; i < words.size(); ++i) {
            const std::string jid(words[i]);
            if (words[0] == kCancelHint) tell_cancel(jid, "");
            changed(jid);
        }
        return;
    }
    const size_t space = hint.find(' ');
    if (space == hint.npos) return waiters_.notify(hint, "", 1);
    const std::string_view rest = std::string_view(hint).substr(space + 1);
    const std::string_view type = rest.substr(std::min(rest.find(' '), rest.size() - 1) + 1);
    auto jobs = parse_int(rest.substr(0, rest.find(' ')));
    waiters_.notify(hint.substr(0, space), type,
                    int(std::clamp<int64_t>(jobs.value_or(1), 1, 10'000)));
}

task<void> Broker::wait_for_change(std::string jid, int64_t limit_ms) {
    std::vector<std::string> one;
    one.push_back(std::move(jid));
    JobWatch watch(*this, std::move(one));
    co_await watch.wait(limit_ms);
}

JobWatch::JobWatch(Broker& broker, std::vector<std::string> jids)
    : broker_(broker), jids_(std::move(jids)), signal_(broker.reactor()) {
    for (const auto& jid : jids_)
        broker_.watched_[jid].push_back(this);
}

JobWatch::~JobWatch() {
    for (const auto& jid : jids_) {
        auto found = broker_.watched_.find(jid);
        if (found == broker_.watched_.end()) continue;
        std::erase(found->second, this);
        if (found->second.empty()) broker_.watched_.erase(found);
    }
}

task<void> JobWatch::wait(int64_t limit_ms) {
    if (!changed_.empty()) co_return;
    auto wait = signal_.wait(limit_ms);
    co_await wait;
}

void Broker::changed(const std::string& jid) {
    auto found = watched_.find(jid);
    if (found == watched_.end()) return;
    for (JobWatch* watch : found->second) {
        watch->changed_.insert(jid);
        watch->signal_.notify_all();
    }
}

Running* Broker::running(const std::string& jid) {
    auto found = running_.find(jid);
    return found == running_.end() ? nullptr : &found->second;
}

std::shared_ptr<LiveOutput> Broker::live_output(const std::string& jid, bool is_stdout) {
    Running* known = running(jid);
    if (!known) return nullptr;
    auto& live = is_stdout ? known->out : known->err;
    if (!live) live = std::make_shared<LiveOutput>(reactor_);
    return live;
}

}  // namespace jobq
