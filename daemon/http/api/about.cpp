// What jobqd says of itself.
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/openapi.h"
#include "daemon/http/problem.h"
#include "daemon/http/site.h"

namespace jobq::api {
// The totals stand at the top; all else is as the verb STATS has it.
task<HttpResponse> get_stats(ApiCall call) {
    auto answer = co_await verbs::stats(call.context, "{}");
    if (!answer) co_return problem(answer.error());
    auto whole = JsonFields::parse(*answer);
    const JsonField* jobs = whole ? whole->find("jobs") : nullptr;
    if (!jobs) co_return problem({ErrorCode::internal, "statistics without jobs"});
    HttpResponse response;
    response.body = "{" + std::string(jobs->raw.substr(1, jobs->raw.size() - 2)) + "," +
                    answer->substr(1) + "\n";
    co_return response;
}

task<HttpResponse> no_cron(ApiCall) {
    Error error{
        ErrorCode::not_found,
        "cron is not available in this version yet; run `jobq enqueue` from the system's cron"};
    co_return problem(error, 501);
}

task<HttpResponse> ping(ApiCall call) {
    auto answer = co_await verbs::ping(call.context, "{}");
    co_return respond(answer);
}

task<HttpResponse> openapi(ApiCall call) {
    HttpResponse response;
    response.body = openapi_document(base_of(call.context.config().listen));
    co_return response;
}

task<HttpResponse> metrics(ApiCall call) {
    HttpResponse response;
    response.body = co_await call.context.metrics.text();
    response.type = "text/plain; version=0.0.4; charset=utf-8";
    co_return response;
}

task<HttpResponse> healthz(ApiCall call) {
    HttpResponse response;
    response.body = "{\"status\":\"" + std::string(name(call.context.status.state)) + "\"}\n";
    co_return response;
}

task<HttpResponse> readyz(ApiCall call) {
    HttpResponse response;
    const auto trouble = call.context.status.not_ready();
    JsonWriter json;
    json.begin_object().field("status", trouble ? trouble->word : std::string("ready"));
    if (trouble) json.field("reason", trouble->why);
    json.end_object();
    response.body = json.take() + "\n";
    response.status = trouble ? 503 : 200;
    co_return response;
}

}  // namespace jobq::api
