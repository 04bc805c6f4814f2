// Queues and workers.
#include "core/json/writer.h"
#include "daemon/http/api/handlers.h"
#include "daemon/http/problem.h"

namespace jobq::api {
namespace {

std::string one_queue(const ApiCall& call) {
    JsonWriter json;
    json.begin_object().key("queues").begin_array().text(call.path.front());
    json.end_array().end_object();
    return json.take();
}

task<HttpResponse> tell_worker(ApiCall call, std::string what) {
    JsonWriter json;
    json.begin_object().field("wid", call.path.front()).field("signal", what).end_object();
    auto answer = co_await verbs::signal(call.context, json.take());
    co_return respond(answer);
}

}  // namespace

task<HttpResponse> get_queues(ApiCall call) {
    const std::string list = "queues";
    for (auto& [name, value] : call.query) {
        if (name != "cursor") continue;
        auto cursor = open_cursor(list, value);
        if (!cursor) co_return problem(cursor.error());
        value = *cursor;
    }
    auto answer = co_await verbs::queues(call.context, call.argument());
    co_return respond(with_sealed_next(std::move(answer), list));
}

task<HttpResponse> pause_queue(ApiCall call) {
    auto answer = co_await verbs::pause(call.context, one_queue(call));
    co_return respond(answer);
}

task<HttpResponse> resume_queue(ApiCall call) {
    auto answer = co_await verbs::resume(call.context, one_queue(call));
    co_return respond(answer);
}

task<HttpResponse> clear_queue(ApiCall call) {
    JsonWriter json;
    json.begin_object().field("queue", call.path.front()).end_object();
    auto answer = co_await verbs::clear(call.context, json.take());
    co_return respond(answer);
}

task<HttpResponse> get_workers(ApiCall call) {
    auto answer = co_await verbs::workers(call.context, "{}");
    co_return respond(answer);
}

task<HttpResponse> quiet_worker(ApiCall call) {
    auto response = co_await tell_worker(std::move(call), "quiet");
    co_return response;
}

task<HttpResponse> stop_worker(ApiCall call) {
    auto response = co_await tell_worker(std::move(call), "terminate");
    co_return response;
}

}  // namespace jobq::api
