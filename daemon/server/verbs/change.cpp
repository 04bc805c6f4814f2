// JOBQ verbs that change jobs: CANCEL RETRY RELEASE RM RETRY_DEAD.
#include <algorithm>
#include <map>

#include "core/json/writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/job_filter.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

void write_outcome(JsonWriter& json, const std::string& jid, const Error* error,
                   std::string_view was, std::string_view note) {
    json.begin_object().field("jid", jid).field("ok", error == nullptr);
    if (error) json.field("error", info(error->code).name).field("text", error->text);
    if (!was.empty()) json.field("was", was);
    if (!note.empty()) json.field("note", note);
    json.end_object();
}

Answer outcomes(Broker& broker, const std::vector<std::string>& jids,
                const Result<std::vector<Result<>>>& results) {
    if (!results) return tl::unexpected<Error>(results.error());
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& one = (*results)[i];
        const Error error = one ? Error{} : broker.holders().with_advice(one.error(), jids[i]);
        write_outcome(json, jids[i], one ? nullptr : &error, "", "");
    }
    json.end_array().end_object();
    return json.take();
}

}  // namespace

task<Answer> cancel(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    std::vector<bool> held;  // by who is gone
    for (const auto& jid : jids)
        held.push_back(context.broker.holders().of(jid) == Holder::gone);
    auto results = co_await context.broker.control().cancel(jids);
    if (!results) {
        co_return tl::unexpected<Error>(results.error());
    }
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& one = (*results)[i];
        std::string note;
        if (one && one->was == State::running)
            note = held[i] && !context.broker.holders().of(jids[i])
                       ? "its worker is gone, so it has ended"
                       : context.broker.holders().advice(jids[i]);
        write_outcome(json, jids[i], one ? nullptr : &one.error(), one ? name(one->was) : "", note);
    }
    json.end_array().end_object();
    co_return json.take();
}

task<Answer> retry(ServerContext& context, std::string argument, Caller from) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto results = co_await context.broker.control().requeue(jids, true, from);
    co_return outcomes(context.broker, jids, results);
}

task<Answer> release(ServerContext& context, std::string argument, Caller from) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto results = co_await context.broker.control().release(jids, from);
    co_return outcomes(context.broker, jids, results);
}

task<Answer> remove(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto results = co_await context.broker.control().remove(jids);
    co_return outcomes(context.broker, jids, results);
}

task<Answer> retry_dead(ServerContext& context, std::string argument, Caller from) {
    Request request(argument);
    JobFilter filter = JobFilter::from(request);
    bool all = request.flag("all"), dry_run = request.flag("dry_run");
    if (!all && filter.is_empty())
        request.refuse(
            "select jobs with type, queue, tag, error, text, group or since, or with all");
    ScanRequest scan;
    scan.state = State::dead;
    scan.cursor = request.text("cursor");
    scan.limit = int(
        std::clamp<int64_t>(request.number("limit", limits::kListPage), 1, limits::kListPageMax));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    Broker& broker = context.broker;
    scan.filter = std::move(filter);
    auto page = co_await scan_jobs(broker, std::move(scan));
    if (!page) {
        co_return tl::unexpected<Error>(page.error());
    }
    std::map<std::string, std::pair<Cause, int64_t>> groups;
    std::vector<std::string> jids;
    for (const auto& view : page->jobs) {
        jids.push_back(view.job.jid);
        auto& group = groups[group_of(view)];
        if (group.second++ == 0) group.first = cause_of(view.job.type, view.record);
    }
    int64_t matched = int64_t(jids.size()), retried = 0, refused = 0;
    std::string why;
    if (!dry_run && !jids.empty()) {
        auto results = co_await broker.control().requeue(std::move(jids), true, from);
        if (!results) {
            co_return tl::unexpected<Error>(results.error());
        }
        for (const auto& one : *results) {
            retried += one.has_value();
            if (one || one.error().code != ErrorCode::forbidden) continue;
            ++refused;
            why = one.error().text;
        }
    }
    JsonWriter json;
    json.begin_object().field("matched", matched).field("retried", retried);
    if (refused > 0) json.field("refused", refused).field("why", why);
    json.key("groups").begin_array();
    for (const auto& [id, group] : groups) {
        const Cause& cause = group.first;
        json.begin_object().field("group", id).field("type", cause.type);
        json.field("error_type", cause.error_type).field("message", cause.message);
        json.field("count", group.second).end_object();
    }
    json.end_array().field("next", page->next).end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
