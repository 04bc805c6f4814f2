// HttpServer: HTTP/1.1 by libmicrohttpd, driven by the loop: its epoll descriptor is watched, no
// thread of its own. Serves /healthz; the API of product.md section 8 has its place here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "daemon/loop/stream.h"

namespace jobq {

struct HttpReply {
    int status = 200;
    std::string body;
    std::string type = "application/json";
};

class HttpServer {
  public:
    // Answers a GET of a path; nothing known: 404.
    using Answer = std::function<HttpReply(const std::string& path)>;

    // Loopback addresses only. invalid, conflict (the port is taken).
    static Result<std::unique_ptr<HttpServer>> listen(UvReactor& reactor, Endpoint endpoint,
                                                      Answer answer);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;

    const Endpoint& endpoint() const { return endpoint_; }

  private:
    struct Impl;
    HttpServer() = default;
    void run_once();
    void arm_timer();

    std::unique_ptr<Impl> impl_;
    Endpoint endpoint_;
};

}  // namespace jobq
