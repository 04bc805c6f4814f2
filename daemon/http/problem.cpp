#include "daemon/http/problem.h"

#include "core/json/writer.h"

namespace jobq {

std::string problem_json(const Error& error, int status) {
    const ErrorInfo& row = info(error.code);
    JsonWriter json;
    json.begin_object().field("title", row.meaning).field("status", status);
    json.field("code", row.name).field("detail", error.text);
    json.field("retryable", row.retryable).end_object();
    return json.take();
}

HttpResponse problem(const Error& error, int status) {
    const ErrorInfo& row = info(error.code);
    HttpResponse response;
    response.status = status == 0 ? row.http_status : status;
    response.type = "application/problem+json";
    response.body = problem_json(error, response.status) + "\n";
    if (row.retryable) response.headers.emplace_back("Retry-After", "1");
    if (error.code == ErrorCode::unauthorized)
        response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"jobq\"");
    return response;
}

HttpResponse too_large(size_t limit) {
    return problem({ErrorCode::too_large, "the body has more than " + std::to_string(limit) +
                                              " bytes; send less in one request"});
}

}  // namespace jobq
