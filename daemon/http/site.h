// Site: where clients find this HTTP server, as [listen] says it: under which names and origins,
// behind which proxies, below which path. And Asked: who asks for what by which name, as the
// request or a proxy that is named there has it. Pure functions on the head.
//
// Must stay true: X-Forwarded-* of anybody but a named proxy is as if it were not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/config/config.h"
#include "daemon/http/message.h"

namespace jobq {

struct Site {
    const ListenConfig& listen;
    std::string bound;  // the host it listens at; "": a Unix socket

    // Whether it is served under this name; as parse_host() gives it.
    bool has_host(const std::string& host) const;
    // Whether pages of this origin may change something: "https://jobs.example".
    bool has_origin(std::string_view origin) const;
};

// The path below which clients reach it: "" or "/jobq".
std::string_view base_of(const ListenConfig& listen);

struct Asked {
    std::optional<std::string> host;    // HOST[:PORT] as it was named; nothing: HTTP/1.0 need not
    std::optional<std::string> scheme;  // "http" or "https", when a proxy says it
    std::string peer;                   // "HOST:PORT" of the client, before the proxies
    bool by_proxy = false;
};

Asked read_asked(const HttpRequest& request, const Site& site);

// The path of the request as the routes have it: without the base, which a proxy may have taken
// off. Nothing: it is the base alone, where a "/" is missing.
std::optional<std::string_view> path_here(const HttpRequest& request, const Site& site);

// The name in a Host header, without its port and in lower case; "" if it is not valid.
std::string host_name(std::string_view host);

}  // namespace jobq
