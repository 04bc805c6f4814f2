// The routes of the HTTP API, in one table: it drives dispatch, the check of parameters, 404 and
// 405 with Allow, and the OpenAPI document. The handlers are daemon/http/api/*.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/scope.h"
#include "daemon/http/exchange.h"
#include "daemon/server/context.h"

namespace jobq {

struct Param {
    enum class Kind : uint8_t { text, integer, flag };

    std::string_view name;
    Kind kind = Kind::text;
    std::string_view help;
    int64_t min = 0, max = 0;  // of an integer
};

struct Route;

enum class Open : uint8_t { no, yes, metrics };

// A request whose route is known and whose parameters are checked.
struct ApiCall {
    ServerContext& context;
    std::shared_ptr<HttpExchange> exchange;
    const Route& route;
    std::vector<std::string> path;  // what stands for the {names}, decoded
    HttpFields query;

    const HttpRequest& request() const { return exchange->request(); }

    // The query's parameters as a JSON object, for an action.
    std::string argument() const;
};

using ApiHandler = task<HttpResponse> (*)(ApiCall call);
// Answers through the exchange.
using ApiStream = task<void> (*)(ApiCall call);

struct Route {
    std::string_view method, path;
    Scope scope;
    std::string_view id, summary;
    std::span<const Param> query;
    std::string_view request, answer;  // schemas; "": none
    int status = 200;
    ApiHandler handler = nullptr;
    ApiStream stream = nullptr;  // instead
    bool streams_body = false;   // JSON lines, read by the handler
    std::string_view type = "application/json";
    // To all who reach it, by whatever name, also without the password; `metrics`: when [listen]
    // http_open_metrics says so.
    Open open = Open::no;
    bool takes_time = false;  // as long as its parameters say
};

std::span<const Route> routes();

struct Found {
    const Route* route = nullptr;
    std::vector<std::string> path;
    std::string allow;  // when the path is known, but not with this method
};

// `given`: a path as it was sent; the short ones (/jobs, /stats, /failed) stand for those of
// /api/v1. HEAD finds GET.
Result<Found> find_route(std::string_view method, std::string_view given);

}  // namespace jobq
