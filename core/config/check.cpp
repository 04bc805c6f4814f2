// The rules for single values, and for what must fit together once all files are read. Called by
// the Loader and at the end of load_config().
#include "core/config/check.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/job/job.h"
#include "core/net/endpoint.h"
#include "core/net/network.h"
#include "core/net/redis_url.h"
#include "core/net/web_url.h"

namespace jobq {
namespace {

std::string check_listen(TextRule rule, std::string_view value) {
    if (value.empty()) return "";
    auto endpoint = rule == TextRule::address ? parse_tcp_listen(value) : parse_listen(value);
    if (endpoint) return "";
    const std::string forms =
        rule == TextRule::address ? "" : " or unix:PATH with an absolute path";
    return "must be HOST:PORT such as \"127.0.0.1:7419\"" + forms + ", not " + shown(value) + ": " +
           endpoint.error().text;
}

std::string check_host_names(std::string_view value) {
    const auto names = split(value, ' ');
    auto fits = [](std::string_view name) { return name.empty() || parse_host(name); };
    if (std::all_of(names.begin(), names.end(), fits)) return "";
    return "must be host names without ports, separated by spaces, not " + shown(value);
}

std::string check_web_origins(std::string_view value) {
    for (std::string_view one : split(value, ' ')) {
        if (one.empty()) continue;
        auto origin = parse_page_origin(one);
        if (origin) continue;
        return "must be origins such as \"https://jobs.example.com\", separated by spaces, not " +
               shown(one) + ": " + origin.error().text;
    }
    return "";
}

std::string check_networks(std::string_view value) {
    for (std::string_view one : split(value, ' ')) {
        if (one.empty() || one == kUnixPeer) continue;
        auto network = parse_network(one);
        if (network) continue;
        return "must be addresses such as \"127.0.0.1\", networks such as \"10.0.0.0/8\", or unix, "
               "separated by spaces, not " +
               shown(one) + ": " + network.error().text;
    }
    return "";
}

// What a proxy and a browser write in the same way.
std::string check_base_path(std::string_view value) {
    if (value.empty()) return "";
    const std::string must = "must be a path such as \"/jobq\", not " + shown(value) + ": ";
    if (!value.starts_with('/')) return must + "it does not begin with /";
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    if (value.find_first_not_of(kPlain) != value.npos)
        return must + "it has another character than A-Z a-z 0-9 - . _ ~ /";
    auto parts = split(value.substr(1), '/');
    if (!parts.empty() && parts.back().empty()) parts.pop_back();
    for (std::string_view part : parts)
        if (part.empty() || part == "." || part == "..")
            return must + "it has an empty part, \".\" or \"..\"";
    return "";
}

std::string check_redis_url(std::string_view value) {
    if (value.empty()) return "";
    auto address = parse_redis_url(value);
    if (address) return "";
    return "must be redis://[user:password@]HOST[:PORT][/DB] or unix:PATH, or \"\" for a private "
           "Redis: " +
           address.error().text;
}

std::string check_collector_url(std::string_view value) {
    if (value.empty()) return "";
    auto url = parse_web_url(value);
    if (url && value.find_first_of("?#") == value.npos) return "";
    const std::string why = url ? "it may have a path, but no query" : url.error().text;
    return "must be the URL of a collector, such as \"http://127.0.0.1:4318\": " + why;
}

std::string check_absolute(std::string_view value) {
    if (value.empty() || value.starts_with('/')) return "";
    return "must be an absolute path, not " + shown(value);
}

Place place_of(const LoadState& state, const std::string& path) {
    auto at = state.places.find(path);
    return at == state.places.end() ? Place{path, 0, 0} : at->second;
}

// The built-in types are all that a thread pool can run, and nobody else runs them.
void check_pool_types(LoadState& state, const std::string& path, const PoolConfig& pool) {
    if (pool.kind != PoolKind::thread) return;
    for (const auto& type : pool.types)
        if (std::count(kBuiltinTypes.begin(), kBuiltinTypes.end(), type) == 0)
            state.error(
                place_of(state, join_path(path, "types")),
                "a thread pool runs only the built-in types noop, echo, sleep and fail, not " +
                    shown(type));
}

void check_pools(LoadState& state) {
    for (const auto& [name, pool] : state.loaded.config.pools) {
        std::string path = join_path("pool", name);
        if (pool.kind == PoolKind::child && pool.run.empty())
            state.error(place_of(state, path), "the child pool " + toml_key(name) +
                                                   " requires run, the command of each child");
        if (pool.kind != PoolKind::child && !pool.run.empty())
            state.error(place_of(state, join_path(path, "run")),
                        "run is only valid in pools of kind child; in an " +
                            std::string(kPoolKindNames[size_t(pool.kind)]) +
                            " pool, the type of a job says what runs");
        check_pool_types(state, path, pool);
    }
}

void check_types(LoadState& state) {
    for (const auto& [name, type] : state.loaded.config.types) {
        std::string path = join_path("type", name);
        if (name == "run" && !type.run.empty())
            state.error(place_of(state, join_path(path, "run")),
                        "the type run is built in, and a job names its own command; set allow = "
                        "true in [run] to allow it");
        if (type.policy.backoff && type.policy.backoff->max_ms < type.policy.backoff->base_ms)
            state.error(place_of(state, join_path(path, "backoff")),
                        "backoff of " + toml_key(name) + ": max is less than base");
    }
}

// Which URLs a type may name is known once all files are read.
void check_webhooks(LoadState& state) {
    const Config& config = state.loaded.config;
    if (config.webhook.enabled() && config.webhook.secret_file.empty())
        state.error(place_of(state, config.webhook.allow.empty() ? "webhook.allow_private"
                                                                 : "webhook.allow"),
                    "webhooks must be signed; set secret_file in [webhook]");
    for (const auto& [name, type] : config.types) {
        if (type.webhook.empty()) continue;
        auto allowed = check_webhook(config.webhook, type.webhook);
        if (!allowed)
            state.error(place_of(state, join_path(join_path("type", name), "webhook")),
                        allowed.error().text);
    }
}

bool is_open(const std::string& address) {
    auto endpoint = parse_listen(address);
    return endpoint && !endpoint->is_unix() && !is_loopback(endpoint->host);
}

void check_doors(LoadState& state) {
    const ListenConfig& listen = state.loaded.config.listen;
    std::string missing = listen.has_password() ? "" : "a password (password_file)";
    if (listen.tls_cert.empty() && listen.tls_key.empty())
        missing += missing.empty() ? "TLS (tls_cert, tls_key)" : " and TLS (tls_cert, tls_key)";
    const std::pair<std::string, const std::string&> doors[] = {{"tcp", listen.tcp},
                                                                {"http", listen.http}};
    for (const auto& [key, address] : doors)
        if (is_open(address) && !missing.empty())
            state.error(place_of(state, "listen." + key),
                        key + " = " + shown(address) +
                            " is reachable from other hosts and requires " + missing +
                            "; set the keys in [listen], or listen on 127.0.0.1");
    if (listen.tls_cert.empty() == listen.tls_key.empty()) return;
    bool lone_key = listen.tls_cert.empty();
    state.error(place_of(state, lone_key ? "listen.tls_key" : "listen.tls_cert"),
                std::string("TLS requires a certificate and its key: ") +
                    (lone_key ? "tls_cert" : "tls_key") + " is not set");
}

void check_trace(LoadState& state) {
    const TraceConfig& trace = state.loaded.config.trace;
    auto url = parse_web_url(trace.endpoint);
    if (trace.headers_file.empty() || !url || url->is_https || is_loopback(url->host)) return;
    state.error(place_of(state, "trace.endpoint"),
                "endpoint = " + shown(trace.endpoint) +
                    " would send the headers of headers_file unencrypted; use https://, or a "
                    "collector on 127.0.0.1");
}

bool lists(const std::vector<std::string>& list, const WebOrigin& origin) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& entry) {
        auto allowed = parse_web_origin(entry);
        return allowed && *allowed == origin;
    });
}

}  // namespace

Result<WebhookAim> check_webhook(const WebhookConfig& config, const std::string& url) {
    auto origin = parse_web_url(url);
    if (!origin)
        return fail(ErrorCode::invalid, "the webhook's URL can't be used: " + origin.error().text);
    const bool is_private = lists(config.allow_private, *origin);
    if (is_private || lists(config.allow, *origin)) return WebhookAim{*origin, is_private};
    return fail(ErrorCode::forbidden, "webhooks to " + origin->text() +
                                          " are not allowed; add the host to allow in [webhook] of "
                                          "jobqd.toml, then reload jobqd (kill -HUP)");
}

std::string shown(std::string_view value) {
    constexpr size_t kShownBytes = 60;
    std::string_view cut = utf8_prefix(value, kShownBytes);
    return "\"" + printable(cut) + (cut.size() < value.size() ? "..." : "") + "\"";
}

std::string check_text(TextRule rule, std::string_view value) {
    if (value.find('\0') != std::string_view::npos) return "can't contain a NUL byte";
    switch (rule) {
        case TextRule::path:
        case TextRule::program:
            return "";
        case TextRule::umask:
            if (value.empty() || parse_umask(value)) return "";
            return "must be an octal number from \"0\" to \"777\"";
        case TextRule::absolute_path:
            return check_absolute(value);
        case TextRule::socket_path:
            if (value.size() > limits::kUnixPathBytes)
                return "is " + std::to_string(value.size()) + " bytes long; the path of a socket " +
                       "can have " + std::to_string(limits::kUnixPathBytes);
            return check_absolute(value);
        case TextRule::address:
        case TextRule::http_address:
            return check_listen(rule, value);
        case TextRule::host_names:
            return check_host_names(value);
        case TextRule::web_origins:
            return check_web_origins(value);
        case TextRule::networks:
            return check_networks(value);
        case TextRule::base_path:
            return check_base_path(value);
        case TextRule::redis_url:
            return check_redis_url(value);
        case TextRule::collector_url:
            return check_collector_url(value);
        case TextRule::words:
            if (!value.empty() && value.size() <= limits::kTypeBytes && printable(value) == value)
                return "";
            return "must be 1 to " + std::to_string(limits::kTypeBytes) + " printable characters";
        case TextRule::name:
            return is_name(value) ? "" : "must be 1 to 255 of A-Z a-z 0-9 . _ -";
        case TextRule::web_url: {
            auto url = parse_web_url(value);
            return value.empty() || url ? "" : "is not a URL for a webhook: " + url.error().text;
        }
        case TextRule::web_origin: {
            auto origin = parse_web_origin(value);
            return origin ? "" : "is not a host such as hooks.example.com: " + origin.error().text;
        }
        case TextRule::webhook_event:
            if (std::count(kWebhookEvents.begin(), kWebhookEvents.end(), value) > 0) return "";
            return "is not an end of a job: use succeeded, dead, dropped, cancelled or expired";
    }
    return "";
}

void check_config(LoadState& state) {
    check_doors(state);
    check_pools(state);
    check_types(state);
    check_trace(state);
    check_webhooks(state);
}

}  // namespace jobq
