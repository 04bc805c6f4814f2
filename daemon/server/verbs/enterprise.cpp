// Faktory Enterprise's verbs: TRACK and BATCH, as in the Faktory Work Protocol 2, section 10.
#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "core/protocol/job_custom.h"
#include "core/protocol/job_wire.h"
#include "daemon/server/verbs/handlers.h"

namespace jobq::verbs {
namespace {

// "SUB rest": the subcommand in capitals, and what follows its space.
struct Words {
    std::string action, rest;
};

Words split_action(const std::string& argument) {
    size_t space = argument.find(' ');
    Words words{argument.substr(0, space), ""};
    if (space != std::string::npos) words.rest = trim(argument.substr(space + 1));
    for (char& c : words.action)
        c = c >= 'a' && c <= 'z' ? char(c - 32) : c;
    return words;
}

Error no_such_action(std::string_view verb, const std::string& action) {
    return {ErrorCode::invalid, "no such " + std::string(verb) +
                                    " subcommand: " + printable(utf8_prefix(to_utf8(action), 64))};
}

void reply(Session& session, const Result<>& done) {
    if (done) {
        session.reply_ok();
    } else {
        session.reply_error(done.error());
    }
}

Result<ProgressUpdate> parse_update(std::string_view json, int64_t now_ms) {
    auto object = JsonFields::parse(json, true);
    if (!object) return fail(ErrorCode::bad_data, "invalid JSON: " + object.error().text);
    auto jid = object->string("jid");
    auto percent = object->integer("percent");
    auto text = object->string("desc");
    auto until = object->string("reserve_until");
    for (const auto* value : {&jid, &text, &until})
        if (!*value) return fail(ErrorCode::bad_data, "invalid JSON: " + value->error().text);
    if (!percent) return fail(ErrorCode::bad_data, "invalid JSON: " + percent.error().text);
    ProgressUpdate update;
    update.jid = jid->value_or("");
    if (update.jid.empty()) return fail(ErrorCode::invalid, "missing JID");
    update.percent = *percent;
    if (*text) update.description = utf8_prefix(**text, limits::kErrorMessageBytes);
    if (!*until || (*until)->empty()) return update;
    auto at = parse_rfc3339_ms(**until);
    if (!at) return fail(ErrorCode::invalid, "reserve_until: " + at.error().text);
    update.lease_until_ms = std::min(*at, now_ms + limits::kReserveMaxS * 1000);
    return update;
}

// The state in Faktory's words, and when it came to be.
struct Seen {
    std::string state = "unknown";
    int64_t since_ms = 0;
};

Seen seen_as(const JobView& view) {
    const JobRecord& record = view.record;
    int64_t failed = record.errors.empty() ? 0 : record.errors.back().ended_ms;
    switch (view.state) {
        case State::running:
            return {"working", view.started_ms};
        case State::retrying:
            return {"failed", failed};
        case State::dead:
            return {"dead", view.at_ms};
        case State::succeeded:
            return {"success", view.final.finished_ms};
        case State::cancelled:
        case State::expired:
            return {"dead", view.final.finished_ms};
        default:
            return {"enqueued", std::max({view.job.created_ms, record.ready_ms})};
    }
}

task<void> track_get(Session& session, std::string jid) {
    std::vector<std::string> one{jid};
    auto progress = co_await session.broker().store().progress(one);
    if (!progress) {
        session.reply_error(progress.error());
        co_return;
    }
    const Progress& known = progress->front();
    Seen seen{known.end.empty() ? "unknown" : known.end, known.updated_ms};
    if (known.tracked && known.end.empty()) {
        auto views = co_await session.broker().store().get(one);
        if (!views) {
            session.reply_error(views.error());
            co_return;
        }
        if (views->front()) seen = seen_as(*views->front());
    }
    JsonWriter json;
    json.begin_object().field("jid", jid);
    if (known.percent) json.field("percent", *known.percent);
    if (!known.description.empty()) json.field("desc", known.description);
    int64_t updated = std::max(seen.since_ms, known.updated_ms);
    json.field("state", seen.state);
    json.field("updated_at", updated ? format_rfc3339(updated) : std::string());
    session.reply_bulk(json.end_object().take());
}

Result<BatchSpec> parse_batch(std::string_view json, Session& session) {
    Broker& broker = session.broker();
    const int64_t now_ms = session.context().reactor.wall_ms();
    auto object = JsonFields::parse(json, true);
    if (!object) return fail(ErrorCode::bad_data, "invalid JSON: " + object.error().text);
    auto description = object->string("description");
    auto parent = object->string("parent_bid");
    for (const auto* value : {&description, &parent})
        if (!*value) return fail(ErrorCode::bad_data, "invalid JSON: " + value->error().text);
    BatchSpec spec;
    spec.bid = "b-" + broker.new_jid();
    spec.parent = parent->value_or("");
    spec.description = utf8_prefix(description->value_or(""), limits::kBatchDescriptionBytes);
    if (!spec.parent.empty() && !is_bid(spec.parent))
        return fail(ErrorCode::not_found, "No such batch " + printable(to_utf8(spec.parent)));
    for (auto [key, callback] :
         {std::pair{"complete", &spec.complete}, std::pair{"success", &spec.success}}) {
        const JsonField* field = object->find(key);
        if (!field) continue;
        auto job = parse_callback(field->raw, now_ms, spec.bid, spec.parent, broker.new_jid());
        if (!job)
            return fail(job.error().code, std::string(key) + " callback: " + job.error().text);
        auto refused = broker.intake().refusal(*job, session.caller());
        if (refused) return fail(refused->code, std::string(key) + " callback: " + refused->text);
        *callback = std::move(*job);
    }
    if (!spec.complete && !spec.success)
        return fail(ErrorCode::invalid, "a batch needs a success or a complete callback");
    return spec;
}

task<void> batch_new(Session& session, std::string argument) {
    auto spec = parse_batch(argument, session);
    if (!spec) {
        session.reply_error(spec.error());
        co_return;
    }
    std::string bid = spec->bid;
    auto made = co_await session.broker().store().make_batch(std::move(*spec));
    if (made) {
        session.reply_bulk(bid);
    } else {
        session.reply_error(made.error());
    }
}

task<void> batch_status(Session& session, std::string bid) {
    auto batch = co_await session.broker().store().batch(std::move(bid));
    if (!batch) {
        session.reply_error(batch.error());
        co_return;
    }
    JsonWriter json;
    json.begin_object().field("bid", batch->bid);
    if (!batch->parent.empty()) json.field("parent_bid", batch->parent);
    if (!batch->description.empty()) json.field("description", batch->description);
    json.field("created_at", format_rfc3339(batch->created_ms)).field("total", batch->total);
    json.field("pending", batch->pending).field("failed", batch->failed);
    json.field("complete_st", batch->complete_state).field("success_st", batch->success_state);
    session.reply_bulk(json.end_object().take());
}

}  // namespace

task<void> track(Session& session, std::string argument) {
    Words words = split_action(argument);
    if (words.action == "GET") {
        co_await track_get(session, std::move(words.rest));
        co_return;
    }
    if (words.action != "SET") {
        session.reply_error(no_such_action("TRACK", words.action));
        co_return;
    }
    auto update = parse_update(words.rest, session.context().reactor.wall_ms());
    if (!update) {
        session.reply_error(update.error());
        co_return;
    }
    if (update->lease_until_ms > 0)
        session.broker().leases().extend(update->jid, update->lease_until_ms);
    auto noted = co_await session.broker().store().track(std::move(*update));
    // Of a job that is not tracked nothing is noted, which is no error of the one who runs it.
    if (noted) {
        session.reply_ok();
    } else {
        session.reply_error(noted.error());
    }
}

task<void> batch(Session& session, std::string argument) {
    Words words = split_action(argument);
    Store& store = session.broker().store();
    if (words.action == "NEW") {
        co_await batch_new(session, std::move(words.rest));
    } else if (words.action == "STATUS") {
        co_await batch_status(session, std::move(words.rest));
    } else if (words.action == "COMMIT") {
        auto done = co_await store.open_batch(std::move(words.rest), false);
        reply(session, done);
    } else if (words.action == "OPEN") {
        std::string bid = words.rest;
        auto done = co_await store.open_batch(std::move(words.rest), true);
        if (done) {
            session.reply_bulk(bid);
        } else {
            reply(session, done);
        }
    } else {
        session.reply_error(no_such_action("BATCH", words.action));
    }
}

}  // namespace jobq::verbs
