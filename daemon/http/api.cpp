#include "daemon/http/api.h"

#include <algorithm>

#include "core/base/crc32c.h"
#include "core/base/text.h"
#include "core/json/writer.h"
#include "core/net/endpoint.h"
#include "core/protocol/password.h"
#include "daemon/http/guard.h"
#include "daemon/http/problem.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kBulkBytes = 64 << 20;

struct Plan : HttpPlan {
    Found found;
    HttpFields query;
};

bool is_type(const HttpRequest& request, std::initializer_list<std::string_view> types) {
    const std::string* given = request.header("Content-Type");
    if (!given) return false;
    std::string_view name = trim(std::string_view(*given).substr(0, given->find(';')));
    return std::any_of(types.begin(), types.end(),
                       [&](std::string_view type) { return same_word(name, type); });
}

bool has_body(const HttpRequest& request) {
    const std::string* length = request.header("Content-Length");
    return request.header("Transfer-Encoding") || (length && *length != "0");
}

std::optional<HttpResponse> wrong_body(const HttpRequest& request, const Route& route) {
    if (route.request.empty()) {
        if (!has_body(request)) return std::nullopt;
        return problem({ErrorCode::invalid, "this request takes no body; omit it"});
    }
    bool known = route.streams_body
                     ? is_type(request, {"application/jsonl", "application/x-ndjson",
                                         "application/json-lines", "application/jsonlines"})
                     : is_type(request, {"application/json"});
    if (known) return std::nullopt;
    return problem({ErrorCode::invalid,
                    std::string("the body must be ") +
                        (route.streams_body ? "JSON lines; send Content-Type: application/jsonl"
                                            : "JSON; send Content-Type: application/json")},
                   415);
}

std::string known_names(const Route& route) {
    std::string names;
    for (const auto& param : route.query)
        names += (names.empty() ? "" : ", ") + std::string(param.name);
    return names.empty() ? "this address takes no parameters" : "the known parameters are " + names;
}

Result<> check_param(const Param& param, const std::string& value) {
    const std::string shown = "the parameter " + std::string(param.name);
    if (param.kind == Param::Kind::flag && value != "true" && value != "false")
        return fail(ErrorCode::invalid, shown + " must be true or false");
    if (param.kind != Param::Kind::integer) return {};
    auto number = parse_int(value);
    if (!number || *number < param.min || *number > param.max)
        return fail(ErrorCode::invalid, shown + " must be a number from " +
                                            std::to_string(param.min) + " to " +
                                            std::to_string(param.max));
    return {};
}

Result<> check_query(const Route& route, const HttpFields& query) {
    for (size_t i = 0; i < query.size(); ++i) {
        const auto& [name, value] = query[i];
        auto is_it = [&name = name](const Param& param) { return param.name == name; };
        auto param = std::find_if(route.query.begin(), route.query.end(), is_it);
        if (param == route.query.end())
            return fail(ErrorCode::invalid, "unknown parameter " +
                                                json_quoted(printable(utf8_prefix(name, 100))) +
                                                "; " + known_names(route));
        for (size_t j = 0; j < i; ++j)
            if (query[j].first == name)
                return fail(ErrorCode::invalid, "the parameter " + name + " is given twice");
        auto good = check_param(*param, value);
        if (!good) return good;
    }
    return {};
}

// The same bytes as before need not be sent again.
void make_conditional(const HttpRequest& request, HttpResponse& response) {
    if (response.status != 200 || !is_safe(request.method)) {
        response.headers.emplace_back("Cache-Control", "no-store");
        return;
    }
    char tag[40];
    std::snprintf(tag, sizeof tag, "\"%zx-%08x\"", response.body.size(), crc32c(0, response.body));
    const std::string* known = request.header("If-None-Match");
    bool same = known && (trim(*known) == "*" || known->find(tag) != known->npos);
    if (same) {
        response.status = 304;
        response.body.clear();
    }
    response.headers.emplace_back("ETag", tag);
    if (!has_header(response, "Cache-Control"))
        response.headers.emplace_back("Cache-Control", "no-cache");
}

// Who listens for other hosts is called by its own address. A page can have a browser ask for a
// name of its choice, but not for an address by such a name.
std::string hosts_of(const ServerContext& context) {
    std::string hosts = context.config().listen.http_hosts;
    auto bound = parse_listen(context.status.http);
    if (bound && !bound->is_unix()) hosts += " " + bound->host;
    return hosts;
}

}  // namespace

std::string ApiCall::argument() const {
    JsonWriter json;
    json.begin_object();
    for (const auto& [name, value] : query) {
        auto is_it = [&name = name](const Param& param) { return param.name == name; };
        auto param = std::find_if(route.query.begin(), route.query.end(), is_it);
        json.key(name);
        // What the handler added is text.
        if (param == route.query.end() || param->kind == Param::Kind::text) {
            json.text(value);
        } else {
            json.raw(value);
        }
    }
    json.end_object();
    return json.take();
}

bool Api::takes(const std::string& peer) {
    const bool asks = context_.access.door->asks_password();
    return !asks || !context_.access.guesses.is_full(peer, context_.reactor.now_ms());
}

// Nothing: it knows the password, or none is asked for ("").
std::optional<HttpResponse> Api::ask_password(HttpExchange& exchange, std::string_view password) {
    const HttpRequest& request = exchange.request();
    if (password.empty() || request.is_unix) return std::nullopt;
    const std::string given = given_password(request);
    if (given.empty())
        return problem({ErrorCode::unauthorized,
                        "a password is required; send Authorization: Bearer PASSWORD, or Basic "
                        "with any user name"});
    const int64_t now = context_.reactor.now_ms();
    HttpResponse refused;
    if (!request.known && !context_.access.guesses.may_try(request.peer, now)) {
        refused = problem(
            {ErrorCode::busy, "too many wrong passwords from your address; try again in a moment"});
        refused.held = context_.access.guesses.hold(request.peer);
        if (refused.held) refused.wait_ms = Guesses::kWaitMs;
    } else if (same_password(given, password)) {
        exchange.let_in = true;
        return std::nullopt;
    } else {
        log(LogLevel::warn, "auth.refused", "an HTTP client sent a wrong password",
            {{"peer", request.peer}});
        if (context_.access.guesses.was_wrong(request.peer, now)) note_guessing(request.peer);
        refused = problem({ErrorCode::unauthorized, "the password is wrong"});
    }
    refused.close = true;
    return refused;
}

std::optional<HttpResponse> Api::look(HttpExchange& exchange) {
    const HttpRequest& request = exchange.request();
    if (auto refused = guard(request, hosts_of(context_))) return refused;
    auto found = find_route(request.method, request.path);
    if (!found) return problem(found.error());
    // Probes have no password, and learn nothing but a state.
    const std::string password = context_.access.door->password();
    bool open = found->route && found->route->open;
    if (auto refused = open ? std::nullopt : ask_password(exchange, password)) return refused;
    if (!found->route && found->allow.empty())
        return problem({ErrorCode::not_found,
                        "this address does not exist; /api/openapi.json lists all addresses"});
    if (!found->route) {
        HttpResponse answer;
        answer.status = 204;
        if (request.method != "OPTIONS")
            answer = problem({ErrorCode::invalid, "this address does not accept " + request.method +
                                                      "; use " + found->allow},
                             405);
        answer.headers.emplace_back("Allow", found->allow);
        return answer;
    }
    if (context_.config().listen.http_read_only && !is_safe(request.method))
        return problem({ErrorCode::forbidden,
                        "this jobqd refuses changes over HTTP because [listen] http_read_only is "
                        "set; use jobq on its host"});
    const Caller caller = context_.access.caller(request.is_unix);
    if (auto refused = caller.refusal(found->route->scope, request.method + " " + request.path))
        return problem(*refused);
    if (auto refused = wrong_body(request, *found->route)) return refused;
    auto query = parse_query(request.query);
    auto good = query ? check_query(*found->route, *query) : tl::unexpected<Error>(query.error());
    if (!good) return problem(good.error());
    exchange.streams_body = found->route->streams_body;
    auto plan = std::make_unique<Plan>();
    plan->found = std::move(*found);
    plan->query = std::move(*query);
    exchange.plan = std::move(plan);
    exchange.body_limit = exchange.streams_body ? kBulkBytes : limits::kLineBytes;
    return std::nullopt;
}

task<void> Api::serve(std::shared_ptr<HttpExchange> exchange) {
    auto& plan = static_cast<Plan&>(*exchange->plan);
    const Route& route = *plan.found.route;
    ApiCall call{context_, exchange, route, std::move(plan.found.path), std::move(plan.query)};
    ++context_.counters.commands;
    if (route.stream) {
        co_await route.stream(std::move(call));
        co_return;
    }
    auto response = co_await route.handler(std::move(call));
    make_conditional(exchange->request(), response);
    exchange->answer(std::move(response));
}

}  // namespace jobq
