// Verbs of Faktory's producers and workers: PUSHB FETCH ACK FAIL BEAT. Replies and texts as in the
// Faktory Work Protocol 2, sections 4 and 6.
#include <algorithm>

#include "core/base/text.h"
#include "core/json/document.h"
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "core/protocol/job_wire.h"
#include "daemon/server/verbs/handlers.h"

namespace jobq::verbs {
task<void> push_bulk(Session& session, std::string argument) {
    auto bulk = parse_push_bulk(argument, session.context().reactor.wall_ms());
    if (!bulk) {
        session.reply_error(bulk.error());
        co_return;
    }
    auto& [jobs, refused] = *bulk;
    std::vector<std::string> jids;
    for (const auto& job : jobs)
        jids.push_back(job.jid);
    auto results = co_await session.broker().intake().enqueue(std::move(jobs), session.caller());
    for (size_t i = 0; i < results.size(); ++i) {
        if (results[i]) continue;
        if (results[i].error().code == ErrorCode::unknown) {
            // To name it would say that it is not stored. All may be sent again: each is stored
            // once.
            session.reply_unstored(results[i].error());
            co_return;
        }
        Error why = push_refusal(results[i].error(), jids[i]);
        // Like a reply of its own, but without "ERR".
        bool named = why.code == ErrorCode::not_unique;
        refused.emplace_back(jids[i], (named ? "NOTUNIQUE " : "") + why.text);
    }
    JsonWriter json;
    json.begin_object();
    for (const auto& [jid, why] : refused)
        json.field(jid, why);
    json.end_object();
    session.reply_bulk(json.take());
}

task<void> fetch(Session& session, std::string argument) {
    if (session.bare()) {
        Error error{ErrorCode::invalid, "must call fetch with at least one queue"};
        session.reply_error(error);
        co_return;
    }
    // What is no queue's name has no jobs: it is no error either.
    std::vector<std::string> queues;
    for (auto name : split(argument, ' '))
        if (is_name(name)) queues.emplace_back(name);
    if (queues.size() > size_t(limits::kFetchQueues)) {
        Error error{ErrorCode::invalid, "FETCH names " + std::to_string(queues.size()) +
                                            " queues; the limit is " +
                                            std::to_string(limits::kFetchQueues) + " at once"};
        session.reply_error(error);
        co_return;
    }
    auto ticket = session.new_ticket();
    FetchOrder order;
    order.owner = kFaktoryOwner;
    order.queues = std::move(queues);
    order.wait_ms = limits::kFetchWaitMs;
    order.lease_per_job = true;
    if (auto worker = session.worker()) order.worker = worker->wid;
    if (order.worker.empty()) order.connection = session.connection();
    order.allowed = [&session] { return session.may_take(); };
    if (!session.may_take() || order.queues.empty()) {
        auto wait = session.going().wait(limits::kFetchWaitMs);
        co_await wait;
        session.reply_null();
        co_return;
    }
    auto leases = co_await session.broker().dispatch().fetch(std::move(order), ticket);
    if (!leases) {
        session.reply_error(leases.error());
    } else if (leases->empty()) {
        session.reply_null();
    } else {
        int64_t now = session.context().reactor.wall_ms();
        const Leased& lease = leases->front();
        const std::string trace =
            session.broker().traces().traceparent_of(lease.job, lease.record, lease.started_ms);
        session.reply_bulk(faktory_job(lease.job, lease.record, now, trace));
    }
}

task<void> ack(Session& session, std::string argument) {
    auto object = JsonFields::parse(argument, true);
    bool good = object.has_value();
    if (good)
        for (const auto& field : object->fields())
            good = good && (field.kind == JsonField::Kind::string || field.is_null());
    std::string jid;
    if (good) jid = object->string("jid")->value_or("");
    if (jid.empty()) {
        Error error{ErrorCode::invalid, "invalid ACK " + to_utf8(utf8_prefix(argument, 1000))};
        session.reply_error(error);
        co_return;
    }
    Ended ended;
    ended.jid = jid;
    if (auto worker = session.worker()) ended.report.worker = worker->wid;
    auto result = co_await session.broker().kept_ends().finish(std::move(ended));
    // Not reserved any more is fine: somebody else's answer counted.
    if (!result && result.error().code != ErrorCode::lease_lost) {
        session.reply_error(result.error());
    } else {
        session.reply_ok();
    }
}

task<void> fail_job(Session& session, std::string argument) {
    auto object = JsonFields::parse(argument, true);
    if (!object) {
        // An error's text is whatever bytes there were. Refused, it would be lost, and the job held
        // until its reservation expires.
        argument = without_lone_surrogates(to_utf8(argument));
        object = JsonFields::parse(argument, true);
    }
    Error invalid{ErrorCode::invalid, "invalid FAIL " + to_utf8(utf8_prefix(argument, 1000))};
    if (!object) {
        session.reply_error(invalid);
        co_return;
    }
    auto jid = object->string("jid");
    auto type = object->string("errtype");
    auto message = object->string("message");
    auto backtrace = object->strings("backtrace");
    if (!jid || !type || !message || !backtrace) {
        session.reply_error(invalid);
        co_return;
    }
    if (jid->value_or("").empty()) {
        Error error{ErrorCode::invalid, "missing JID"};
        session.reply_error(error);
        co_return;
    }
    Ended ended;
    ended.jid = **jid;
    if (auto worker = session.worker()) ended.report.worker = worker->wid;
    ended.report.outcome = Outcome::failure;
    ended.report.error_type = type->value_or("");
    ended.report.message = message->value_or("");
    ended.report.backtrace = backtrace->value_or(std::vector<std::string>());
    const Running* known = session.broker().running().find(**jid);
    bool flushed = known && known->flushed;  // fine, but nothing is left to be done
    auto result = co_await session.broker().kept_ends().finish(std::move(ended));
    if (result || (flushed && result.error().code == ErrorCode::lease_lost)) {
        session.reply_ok();
    } else if (result.error().code == ErrorCode::lease_lost) {
        Error error{ErrorCode::not_found, "Job not found " + **jid};
        session.reply_error(error);
    } else {
        session.reply_error(result.error());
    }
}

task<void> beat(Session& session, std::string argument) {
    auto object = JsonFields::parse(argument, true);
    auto fails = [&] {
        Error error{ErrorCode::invalid, "invalid BEAT " + to_utf8(utf8_prefix(argument, 1000))};
        session.reply_error(error);
    };
    if (!object) {
        fails();
        co_return;
    }
    auto wid = object->string("wid");
    auto state = object->string("current_state");
    auto rss = object->integer("rss_kb");
    if (!wid || !state || !rss) {
        fails();
        co_return;
    }
    auto worker = session.broker().workers().find(wid->value_or(""));
    if (!worker || worker->is_gone()) {
        Error error{ErrorCode::not_found, "unknown worker " + wid->value_or("")};
        session.reply_error(error);
        co_return;
    }
    worker->beat_ms = session.context().reactor.now_ms();
    if (*rss) worker->rss_kb = **rss;
    // Never back: running, then quiet, then terminate.
    if (state->value_or("") == "quiet" && worker->state == WorkerState::running)
        worker->state = WorkerState::quiet;
    if (state->value_or("") == "terminate") worker->state = WorkerState::terminate;
    if (worker->state == WorkerState::running) {
        session.reply_ok();
    } else {
        session.reply_bulk("{\"state\":\"" + std::string(name(worker->state)) + "\"}");
    }
}

}  // namespace jobq::verbs
