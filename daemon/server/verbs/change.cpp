// JOBQ verbs that change jobs: CANCEL RETRY RELEASE RM RETRY_DEAD.
#include <algorithm>
#include <map>

#include "core/protocol/json_writer.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/job_filter.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

void write_outcome(JsonWriter& json, const std::string& jid, const Error* error,
                   std::string_view was) {
    json.begin_object().field("jid", jid).field("ok", error == nullptr);
    if (error) json.field("error", info(error->code).name).field("text", error->text);
    if (!was.empty()) json.field("was", was);
    json.end_object();
}

Answer outcomes(const std::vector<std::string>& jids,
                const Result<std::vector<Result<>>>& results) {
    if (!results) return tl::unexpected<Error>(results.error());
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& one = (*results)[i];
        write_outcome(json, jids[i], one ? nullptr : &one.error(), "");
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
    auto results = co_await context.broker.cancel(jids);
    if (!results) {
        co_return tl::unexpected<Error>(results.error());
    }
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& one = (*results)[i];
        write_outcome(json, jids[i], one ? nullptr : &one.error(), one ? name(one->was) : "");
    }
    json.end_array().end_object();
    co_return json.take();
}

namespace {

// Commands where they are not allowed, by place. Said at once here; what a filter finds is refused
// when it is to start.
task<Result<std::map<size_t, Error>>> refused_commands(Broker& broker,
                                                       std::vector<std::string> jids) {
    std::map<size_t, Error> refused;
    if (broker.config().allow_run) co_return refused;
    auto views = co_await broker.store().get(std::move(jids));
    if (!views) co_return tl::unexpected<Error>(views.error());
    for (size_t i = 0; i < views->size(); ++i) {
        const auto& view = (*views)[i];
        auto why = view ? Intake{}.refusal(view->job.type, broker.config()) : std::nullopt;
        if (why) refused.emplace(i, std::move(*why));
    }
    co_return refused;
}

}  // namespace

task<Answer> retry(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto refused = co_await refused_commands(context.broker, jids);
    if (!refused) co_return tl::unexpected<Error>(refused.error());
    std::vector<std::string> allowed;
    for (size_t i = 0; i < jids.size(); ++i)
        if (!refused->contains(i)) allowed.push_back(jids[i]);
    Result<std::vector<Result<>>> results;
    if (!allowed.empty()) results = co_await context.broker.requeue(std::move(allowed), true);
    // From the front, so that each place is right when its turn comes.
    for (const auto& [at, why] : *refused)
        if (results) results->insert(results->begin() + long(at), tl::unexpected<Error>(why));
    co_return outcomes(jids, results);
}

task<Answer> release(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto results = co_await context.broker.release(jids);
    co_return outcomes(jids, results);
}

task<Answer> remove(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto results = co_await context.broker.store().remove(jids);
    co_return outcomes(jids, results);
}

task<Answer> retry_dead(ServerContext& context, std::string argument) {
    Request request(argument);
    JobFilter filter = JobFilter::from(request);
    bool all = request.flag("all"), dry_run = request.flag("dry_run");
    if (!all && filter.is_empty())
        request.refuse("say which: type, queue, tag, error, text, group, since, or all");
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
    int64_t matched = int64_t(jids.size()), retried = 0;
    if (!dry_run && !jids.empty()) {
        auto results = co_await broker.requeue(std::move(jids), true);
        if (!results) {
            co_return tl::unexpected<Error>(results.error());
        }
        for (const auto& one : *results)
            retried += one.has_value();
    }
    JsonWriter json;
    json.begin_object().field("matched", matched).field("retried", retried);
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
