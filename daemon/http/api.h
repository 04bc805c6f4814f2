// Api: what jobqd serves by HTTP: the guard, the routes, and their handlers.
#pragma once

#include "daemon/http/guard.h"
#include "daemon/http/http_server.h"
#include "daemon/http/routes.h"

namespace jobq {

class Api : public HttpApp {
  public:
    explicit Api(ServerContext& context) : context_(context) {}

    std::optional<HttpResponse> look(HttpExchange& exchange) override;
    task<void> serve(std::shared_ptr<HttpExchange> exchange) override;
    // Not from where passwords are tried, while more of those wait than may.
    bool takes(const std::string& peer) override;

  private:
    std::optional<HttpResponse> ask_password(HttpExchange& exchange, std::string_view password);

    ServerContext& context_;
};

}  // namespace jobq
