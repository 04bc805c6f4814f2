// One job, and lists of them.
#include <algorithm>

#include "core/base/text.h"
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"
#include "daemon/server/job_view.h"

namespace jobq::api {
namespace {

std::string about_one(const ApiCall& call, bool with_payload = false) {
    JsonWriter json;
    json.begin_object().key("jids").begin_array().text(call.path.front());
    json.end_array();
    if (with_payload) json.field("payload", true);
    json.end_object();
    return json.take();
}

// `action` for the job in the path.
task<HttpResponse> act(ApiCall call, verbs::Action action) {
    auto answer = co_await action(call.context, about_one(call));
    co_return respond(the_only(std::move(answer)));
}

task<HttpResponse> act(ApiCall call, verbs::Rerun action) {
    const Caller from = call.context.access.caller(call.request().is_unix);
    auto answer = co_await action(call.context, about_one(call), from);
    co_return respond(the_only(std::move(answer)));
}

// A header that says what a member of the body may say too.
Result<> take_header(const HttpRequest& request, std::string_view name, std::string& member) {
    const std::string* given = request.header(name);
    if (!given) return {};
    std::string_view value = trim(*given);
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"'))
        value = value.substr(1, value.size() - 2);
    if (value.empty() || request.count(name) > 1)
        return fail(ErrorCode::invalid, "the header " + std::string(name) + " must have one value");
    if (!member.empty() && member != value)
        return fail(ErrorCode::invalid,
                    "the header " + std::string(name) + " and the body have different values");
    member = std::string(value);
    return {};
}

}  // namespace

task<HttpResponse> enqueue(ApiCall call) {
    const std::string& body = call.request().body;
    Broker& broker = call.context.broker;
    auto request = parse_enqueue(body, broker.reactor().wall_ms(), broker.new_jid());
    if (!request) co_return refused_body(request.error(), body);
    auto key = take_header(call.request(), "Idempotency-Key", request->job.idempotency_key);
    if (!key) co_return problem(key.error());
    if (request->job.traceparent.empty()) request->job.traceparent = trace_of(call.request());
    auto valid = validate(request->job);
    if (!valid) co_return refused_body(valid.error(), body);
    std::vector<Job> jobs;
    jobs.push_back(request->take_job());
    const Caller from = call.context.access.caller(call.request().is_unix);
    auto results = co_await broker.intake().enqueue(std::move(jobs), from);
    auto& result = results.front();
    auto answer = verbs::enqueued(broker, *request, result);
    if (!answer) co_return problem(answer.error());
    HttpResponse response;
    response.status = result->how == Enqueued::How::stored ? 201 : 200;
    response.body = with_job_id(result->jid, *answer) + "\n";
    co_return response;
}

task<HttpResponse> get_job(ApiCall call) {
    auto answer = co_await verbs::status(call.context, about_one(call, true));
    co_return respond(the_only(std::move(answer)));
}

// As it was enqueued, whatever its size.
task<HttpResponse> get_payload(ApiCall call) {
    const std::string& jid = call.path.front();
    std::vector<std::string> one{jid};
    auto views = co_await call.context.broker.store().get(std::move(one));
    if (!views) co_return problem(views.error());
    if (!views->front()) co_return problem(views->front().error());
    JobView& view = *views->front();
    if (view.corrupt) {
        Error error{ErrorCode::corrupt, "the stored form of job " + jid + " is damaged"};
        co_return problem(error);
    }
    if (is_final(view.state)) {
        Error error{ErrorCode::conflict, "job " + jid + " is " + std::string(name(view.state)) +
                                             ", and the payload of a finished job is not kept"};
        co_return problem(error);
    }
    HttpResponse response;
    response.body = (view.job.args.empty() ? "[]" : std::move(view.job.args)) + "\n";
    co_return response;
}

task<HttpResponse> cancel_job(ApiCall call) {
    auto response = co_await act(std::move(call), verbs::cancel);
    co_return response;
}

task<HttpResponse> retry_job(ApiCall call) {
    auto response = co_await act(std::move(call), verbs::retry);
    co_return response;
}

task<HttpResponse> release_job(ApiCall call) {
    auto response = co_await act(std::move(call), verbs::release);
    co_return response;
}

task<HttpResponse> remove_job(ApiCall call) {
    auto response = co_await act(std::move(call), verbs::remove);
    co_return response;
}

namespace {

// "1234 bytes at 32768"
std::string left_out_words(LeftOut part) {
    return std::to_string(part.bytes) + " bytes at " + std::to_string(part.at);
}

}  // namespace

task<HttpResponse> get_result(ApiCall call) {
    const auto is_format = [](const auto& parameter) { return parameter.first == "format"; };
    const auto format = std::find_if(call.query.begin(), call.query.end(), is_format);
    if (format != call.query.end() && format->second == "raw") {
        const std::string jid = call.path.front();
        auto kept = co_await verbs::kept_result(call.context, jid, limits::kOutputKeptMaxBytes);
        if (!kept) co_return problem(kept.error());
        if (auto refused = verbs::refused_result(call.context.broker, jid, *kept))
            co_return problem(*refused);
        HttpResponse response;
        response.type = kept->result_is_json ? "application/json" : "application/octet-stream";
        if (const LeftOut cut = kept->result_cut)
            response.headers.emplace_back("Jobq-Left-Out", left_out_words(cut));
        response.body = std::move(kept->result);
        co_return response;
    }
    if (format != call.query.end() && format->second != "json") {
        Error error{ErrorCode::invalid, "the format must be json or raw"};
        co_return problem(error);
    }
    JsonWriter json;
    json.begin_object().field("jid", call.path.front()).field("binary", true).end_object();
    auto answer = co_await verbs::result(call.context, json.take());
    co_return respond(answer);
}

namespace {

// The states that are one status, in the order in which they are listed.
std::vector<std::string_view> states_of(std::string_view status) {
    std::vector<std::string_view> states;
    for (const State state :
         {State::ready, State::scheduled, State::retrying, State::blocked, State::running,
          State::succeeded, State::dead, State::cancelled, State::expired})
        if (status_word(state) == status) states.push_back(name(state));
    return states;
}

std::optional<Error> wrong_status(const HttpFields& query, std::string_view status) {
    for (const auto& [key, value] : query)
        if (key == "state") return Error{ErrorCode::invalid, "give one of state and status"};
    if (!states_of(status).empty()) return std::nullopt;
    return Error{ErrorCode::invalid,
                 "the status must be one of pending, running, completed and failed"};
}

std::string value_of(const HttpFields& query, std::string_view name) {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

// What stands for a parameter, or "" in its new place.
std::string& parameter(HttpFields& query, std::string_view name) {
    for (auto& [key, value] : query)
        if (key == name) return value;
    return query.emplace_back(name, "").second;
}

// Pages of one state after the other. A cursor is "STATE CURSOR".
task<HttpResponse> list_by_status(ApiCall call, std::string status) {
    const auto states = states_of(status);
    const std::string list = "status " + status + " " + value_of(call.query, "queue") + " " +
                             value_of(call.query, "newest");
    auto cursor = open_cursor(list, value_of(call.query, "cursor"));
    if (!cursor) co_return problem(cursor.error());
    const std::string from = cursor->substr(0, cursor->find(' '));
    size_t at = size_t(std::find(states.begin(), states.end(), from) - states.begin());
    if (at == states.size()) at = 0;
    std::string inner = cursor->substr(std::min(cursor->size(), from.size() + 1));
    while (true) {
        parameter(call.query, "state") = states[at];
        parameter(call.query, "cursor") = inner;
        auto answer = co_await verbs::list(call.context, call.argument());
        if (!answer) co_return problem(answer.error());
        inner = next_of(*answer);
        const bool over = inner.empty();
        const bool last = over && at + 1 == states.size();
        if (over && !last) ++at;
        const bool empty = answer->starts_with("{\"jobs\":[]");
        if (empty && over && !last) continue;
        std::string next;
        if (!last) next = seal_cursor(list, std::string(states[at]) + " " + inner);
        co_return respond(verbs::Answer(with_next(*answer, next)));
    }
}

}  // namespace

task<HttpResponse> list_jobs(ApiCall call) {
    const auto is_status = [](const auto& field) { return field.first == "status"; };
    const auto by = std::find_if(call.query.begin(), call.query.end(), is_status);
    if (by != call.query.end()) {
        std::string status = std::move(by->second);
        call.query.erase(by);
        auto wrong = wrong_status(call.query, status);
        if (wrong) co_return problem(*wrong);
        auto response = co_await list_by_status(std::move(call), std::move(status));
        co_return response;
    }
    std::string list = "ready";
    std::string queue, order;
    for (const auto& [name, value] : call.query) {
        if (name == "state") list = value;
        if (name == "queue") queue = value;
        if (name == "newest" && value == "true") order = " newest";
    }
    list += " " + queue + order;
    for (auto& [name, value] : call.query) {
        if (name != "cursor") continue;
        auto cursor = open_cursor(list, value);
        if (!cursor) co_return problem(cursor.error());
        value = std::move(*cursor);
    }
    auto answer = co_await verbs::list(call.context, call.argument());
    co_return respond(with_sealed_next(std::move(answer), list));
}

}  // namespace jobq::api
