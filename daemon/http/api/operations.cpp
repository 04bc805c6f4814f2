// Operations in the background: started, looked at, stopped.
#include "core/json/fields.h"
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"
#include "daemon/http/site.h"

namespace jobq::api {
namespace {

std::string id_of(const ApiCall& call) {
    JsonWriter json;
    json.begin_object().field("id", call.path.front()).end_object();
    return json.take();
}

}  // namespace

task<HttpResponse> start_operation(ApiCall call) {
    const std::string& body = call.request().body;
    auto fields = JsonFields::parse(body);
    if (!fields) co_return refused_body(fields.error(), body);
    const Caller from = call.context.access.caller(call.request().is_unix);
    auto answer = co_await verbs::operate(call.context, body, from);
    if (!answer) co_return refused_body(answer.error(), body);
    auto response = respond(answer, 202);
    auto operation = JsonFields::parse(*answer);
    auto id = operation->string("id");
    response.headers.emplace_back("Location", std::string(base_of(call.context.config().listen)) +
                                                  "/api/v1/operations/" + id->value_or(""));
    co_return response;
}

task<HttpResponse> list_operations(ApiCall call) {
    auto answer = co_await verbs::operations(call.context, "{}");
    co_return respond(answer);
}

task<HttpResponse> get_operation(ApiCall call) {
    auto answer = co_await verbs::operations(call.context, id_of(call));
    if (!answer) co_return problem(answer.error());
    auto whole = JsonFields::parse(*answer);
    std::string one(json_array(whole->find("operations")->raw).front().raw);
    verbs::Answer only = std::move(one);
    co_return respond(only);
}

task<HttpResponse> stop_operation(ApiCall call) {
    auto answer = co_await verbs::stop_operation(call.context, id_of(call));
    co_return respond(answer);
}

}  // namespace jobq::api
