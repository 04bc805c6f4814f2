#include "daemon/http/api.h"

#include <algorithm>

#include "core/base/crc32c.h"
#include "core/base/text.h"
#include "core/json/writer.h"
#include "core/net/endpoint.h"
#include "core/protocol/password.h"
#include "daemon/http/guard.h"
#include "daemon/http/gzip.h"
#include "daemon/http/problem.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kBulkBytes = 64 << 20;
// Of what only looks: a little more than a call to Redis has, so that its own error comes first.
constexpr int64_t kLookMs = limits::kRedisDeadlineMs + 500;

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

// A body that is packed is told from one that is no JSON.
std::optional<HttpResponse> packed_body(const HttpRequest& request) {
    const std::string* coding = request.header("Content-Encoding");
    if (!coding || same_word(trim(*coding), "identity")) return std::nullopt;
    auto response = problem({ErrorCode::invalid,
                             "the body must not be compressed; send it without "
                             "Content-Encoding"},
                            415);
    response.headers.emplace_back("Accept-Encoding", "identity");
    return response;
}

std::optional<HttpResponse> wrong_body(const HttpRequest& request, const Route& route) {
    if (route.request.empty()) {
        if (!has_body(request)) return std::nullopt;
        return problem({ErrorCode::invalid, "this request takes no body; omit it"});
    }
    if (auto packed = packed_body(request)) return packed;
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

// A page is found by links that begin with its own path.
HttpResponse redirect(const HttpRequest& request, const Site& site) {
    HttpResponse response;
    response.status = 308;
    std::string target = std::string(base_of(site.listen)) + "/";
    if (!request.query.empty()) target += "?" + request.query;
    response.headers.emplace_back("Location", std::move(target));
    return response;
}

struct TimeLimit {
    explicit TimeLimit(Reactor& in) : reactor(in) {}

    ~TimeLimit() { reactor.cancel(timer); }

    TimeLimit(const TimeLimit&) = delete;

    Reactor& reactor;
    TimerId timer = 0;
};

HttpResponse too_late() {
    return problem({ErrorCode::unavailable,
                    "Redis did not answer in time; try again, and see /readyz for its state"});
}

HttpResponse no_route(const HttpRequest& request, const std::string& allow) {
    if (allow.empty())
        return problem({ErrorCode::not_found,
                        "this address does not exist; /api/openapi.json lists all addresses"});
    HttpResponse answer;
    answer.status = 204;
    if (request.method != "OPTIONS")
        answer = problem({ErrorCode::invalid,
                          "this address does not accept " + request.method + "; use " + allow},
                         405);
    answer.headers.emplace_back("Allow", allow);
    return answer;
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
std::optional<HttpResponse> Api::ask_password(HttpExchange& exchange, const Asked& asked) {
    const HttpRequest& request = exchange.request();
    const std::string password = context_.access.door->password();
    if (password.empty() || request.is_unix) return std::nullopt;
    const std::string given = given_password(request);
    if (given.empty())
        return problem({ErrorCode::unauthorized,
                        "a password is required; send Authorization: Bearer PASSWORD, or Basic "
                        "with any user name"});
    const int64_t now = context_.reactor.now_ms();
    HttpResponse refused;
    // A proxy's connection is shared by those behind it.
    const bool known = request.known && !asked.by_proxy;
    if (!known && !context_.access.guesses.may_try(asked.peer, now)) {
        refused = problem(
            {ErrorCode::busy, "too many wrong passwords from your address; try again in a moment"});
        refused.held = context_.access.guesses.hold(asked.peer);
        if (refused.held) refused.wait_ms = Guesses::kWaitMs;
    } else if (same_password(given, password)) {
        exchange.let_in = true;
        return std::nullopt;
    } else {
        log(LogLevel::warn, "auth.refused", "an HTTP client sent a wrong password",
            {{"peer", asked.peer}});
        if (context_.access.guesses.was_wrong(asked.peer, now)) note_guessing(asked.peer);
        refused = problem({ErrorCode::unauthorized, "the password is wrong"});
    }
    refused.close = true;
    return refused;
}

Site Api::site() const {
    const auto bound = parse_listen(context_.status.http);
    return {context_.config().listen, bound && !bound->is_unix() ? bound->host : ""};
}

bool Api::is_open(const Found& found) const {
    if (!found.route) return false;
    if (found.route->open == Open::metrics) return context_.config().listen.http_open_metrics;
    return found.route->open == Open::yes;
}

std::optional<HttpResponse> Api::look(HttpExchange& exchange) {
    const HttpRequest& request = exchange.request();
    if (auto refused = guard_form(request)) return refused;
    const Site its = site();
    const auto path = path_here(request, its);
    auto found = path ? find_route(request.method, *path) : Result<Found>();
    // Probes and scrapes call an address by its number, know no password, and learn figures alone.
    const bool open = found && is_open(*found);
    const Asked asked = read_asked(request, its);
    if (auto refused = open ? std::nullopt : guard_host(request, asked, its)) return refused;
    if (auto refused = guard_origin(request, asked, its)) return refused;
    if (!found) return problem(found.error());
    if (!path) return redirect(request, its);
    if (auto refused = open ? std::nullopt : ask_password(exchange, asked)) return refused;
    if (!found->route) return no_route(request, found->allow);
    return look_at(exchange, std::move(*found));
}

std::optional<HttpResponse> Api::look_at(HttpExchange& exchange, Found found) {
    const HttpRequest& request = exchange.request();
    if (context_.config().listen.http_read_only && !is_safe(request.method))
        return problem({ErrorCode::forbidden,
                        "this jobqd refuses changes over HTTP because [listen] http_read_only is "
                        "set; use jobq on its host"});
    const Caller caller = context_.access.caller(request.is_unix);
    if (auto refused = caller.refusal(found.route->scope, request.method + " " + request.path))
        return problem(*refused);
    if (auto refused = wrong_body(request, *found.route)) return refused;
    auto query = parse_query(request.query);
    auto good = query ? check_query(*found.route, *query) : tl::unexpected<Error>(query.error());
    if (!good) return problem(good.error());
    exchange.streams_body = found.route->streams_body;
    auto plan = std::make_unique<Plan>();
    plan->found = std::move(found);
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
    // A handler that asks Redis several things is not waited for once per thing.
    const bool looks = is_safe(exchange->request().method) && !route.takes_time;
    TimeLimit limit(context_.reactor);
    if (looks)
        limit.timer = context_.reactor.after(kLookMs, [exchange] { exchange->answer(too_late()); });
    auto response = co_await route.handler(std::move(call));
    pack(exchange->request(), response);
    make_conditional(exchange->request(), response);
    exchange->answer(std::move(response));
}

}  // namespace jobq
