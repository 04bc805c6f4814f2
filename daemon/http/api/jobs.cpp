// One job, and lists of them.
#include <algorithm>

#include "core/base/text.h"
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

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

Result<EnqueueRequest> read_job(const ApiCall& call) {
    Broker& broker = call.context.broker;
    const std::string& body = call.request().body;
    auto request = parse_enqueue(body, broker.reactor().wall_ms(), broker.new_jid());
    if (!request) return tl::unexpected<Error>(with_place(request.error(), body));
    auto key = take_header(call.request(), "Idempotency-Key", request->job.idempotency_key);
    if (!key) return tl::unexpected<Error>(key.error());
    if (request->job.traceparent.empty()) request->job.traceparent = trace_of(call.request());
    auto valid = validate(request->job);
    if (!valid) return tl::unexpected<Error>(valid.error());
    return request;
}

}  // namespace

task<HttpResponse> enqueue(ApiCall call) {
    auto request = read_job(call);
    if (!request) co_return problem(request.error());
    std::vector<Job> jobs;
    jobs.push_back(request->take_job());
    const Caller from = call.context.access.caller(call.request().is_unix);
    auto results = co_await call.context.broker.intake().enqueue(std::move(jobs), from);
    auto& result = results.front();
    auto answer = verbs::enqueued(call.context.broker, *request, result);
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

task<HttpResponse> list_jobs(ApiCall call) {
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
