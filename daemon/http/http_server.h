// HttpServer: HTTP/1.1 by libmicrohttpd, driven by the loop: its epoll descriptor is watched, no
// thread of its own. Transport alone: what is served is HttpApp's business (daemon/http/api.h).
//
// Must stay true: a handler never runs inside the library's callbacks; a request waits suspended
// while its handler does; memory, time and the number of connections are bounded, so that slow,
// idle and hostile clients cost little and keep nobody else out.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "core/base/error.h"
#include "daemon/http/exchange.h"
#include "daemon/loop/stream.h"

namespace jobq {

// What is served. Outlives the server.
class HttpApp {
  public:
    virtual ~HttpApp() = default;
    // The head of a request is here. May set body_limit and streams_body; an answer refuses the
    // request: its body is not looked at.
    virtual std::optional<HttpResponse> look(HttpExchange& exchange) = 0;
    // The request is here, or its head when it streams: answers it, surely and in the end.
    virtual task<void> serve(std::shared_ptr<HttpExchange> exchange) = 0;

    // Whether a connection from "HOST:PORT" is served at all.
    virtual bool takes(const std::string& /*peer*/) { return true; }
};

struct HttpLimits {
    size_t connections = 10'000;  // or what the limit of descriptors allows
    // Between two requests, and from the first byte of a head to its last; when three quarters of
    // the connections are taken, the shorter one.
    int64_t idle_ms = 30'000, crowded_idle_ms = 2'000;
    int64_t body_ms = 30'000;  // after the head
    int64_t sweep_ms = 1'000;  // how often it is looked
    unsigned stall_s = 60;     // an answer of which nobody takes a byte
};

// PEM texts; empty: plain HTTP.
struct HttpTls {
    std::string certificate{}, key{};
};

class HttpServer {
  public:
    // On a Unix socket TLS is left out. conflict: the port is taken. Requires: an address other
    // hosts can reach has TLS, and `app` asks for a password.
    static Result<std::unique_ptr<HttpServer>> listen(UvReactor& reactor, Endpoint endpoint,
                                                      HttpApp& app, const HttpTls& tls = {},
                                                      HttpLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;

    // No new requests; those there end, streams at once.
    task<void> stop();

    // With the port that was taken.
    const Endpoint& endpoint() const { return endpoint_; }

    Reactor& reactor() { return reactor_; }

  private:
    friend class HttpExchange;
    struct Impl;
    explicit HttpServer(UvReactor& reactor);
    void watch_for_end(HttpExchange& exchange);
    void resume(HttpExchange& exchange);

    UvReactor& reactor_;
    std::unique_ptr<Impl> impl_;
    Endpoint endpoint_;
};

}  // namespace jobq
