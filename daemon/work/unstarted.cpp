// Broker: what was fetched and must not start: past its expiry, damaged, or forbidden.
#include "core/base/text.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {

// `finish` makes it dead without a run.
void Broker::bury(const Leased& lease, Finish& finish, const std::string& why) {
    const int64_t now = reactor_.wall_ms();
    finish.transition.move = Move::dead;
    finish.transition.record = lease.corrupt ? buried(lease.record, why, now)
                                             : unstarted(lease.record, "forbidden", why, now);
    const std::string reason = finish.transition.record.reason;
    log(LogLevel::error, "job." + reason,
        why + "; the job was not run and is dead; " +
            (lease.corrupt ? "remove it with jobq rm, then enqueue it again"
                           : "retry it with jobq retry once it may run"),
        {{"jid", lease.job.jid},
         {"type", lease.job.type},
         {"queue", lease.job.queue},
         {"trace_id", trace_id_of(lease.job)}});
    if (metrics_) metrics_->died(lease.job.queue, lease.job.type, reason);
    note_event("dead", lease.job,
               {{"reason", json_quoted(reason)},
                {"attempt", std::to_string(current_attempt(lease.record))},
                {"message", json_quoted(why)}});
    changed(lease.job.jid);
}

// Ends what must not start: past its expiry, damaged, or forbidden.
task<std::vector<Leased>> Broker::keep_runnable(std::vector<Leased> leases, std::string owner) {
    std::vector<Leased> runnable;
    std::vector<Finish> ended;
    int64_t now = reactor_.wall_ms();
    for (auto& lease : leases) {
        bool expired = lease.job.expires_ms != 0 && lease.job.expires_ms <= now;
        // Stored while commands were allowed: they are not now, so it does not run.
        auto refused = expired || lease.corrupt
                           ? std::nullopt
                           : intake::type_refusal(Caller{}, lease.job.type, *config_);
        if (!expired && !lease.corrupt && !refused) {
            runnable.push_back(std::move(lease));
            continue;
        }
        running_.erase(lease.job.jid);  // of an earlier lease
        Finish finish = finish_of(lease, owner);
        if (lease.corrupt || refused) {
            bury(lease, finish, lease.corrupt ? lease.damage : refused->text);
        } else {
            finish.transition.move = Move::drop;
            finish.final.state = State::expired;
            finish.final.type = lease.job.type;
            finish.final.queue = lease.job.queue;
            finish.final.created_ms = lease.job.created_ms;
            finish.final.finished_ms = now;
            finish.final.tags = lease.job.tags;
            finish.final.content = content_of(lease.job);
            finish.follow = news_of("expired", lease.job, {}, finish.transition);
            if (metrics_) metrics_->expired(lease.job.queue, lease.job.type);
            note_event("expired", lease.job, {});
            changed(lease.job.jid);
        }
        ended.push_back(std::move(finish));
    }
    if (!ended.empty()) {
        std::vector<std::pair<std::string, std::string>> names;
        for (const auto& finish : ended)
            names.emplace_back(finish.token, finish.jid);
        auto done = co_await store_.finish(std::move(ended));
        for (size_t i = 0; i < names.size(); ++i) {
            const auto& [token, jid] = names[i];
            auto known = running_.find(jid);  // by a report that came meanwhile
            if (known != running_.end() && known->second.token == token) running_.erase(known);
            const Error* error = !done         ? &done.error()
                                 : !(*done)[i] ? &(*done)[i].error()
                                               : nullptr;
            if (!error || is_final(error->code)) continue;
            log(LogLevel::warn, "job.expire_failed", error->text, {{"jid", jid}});
            look_for_lost(token, jid);
        }
    }
    co_return runnable;
}

}  // namespace jobq
