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
    Site site() const;
    bool is_open(const Found& found) const;
    std::optional<HttpResponse> ask_password(HttpExchange& exchange, const Asked& asked);
    // What keeps its route from being served.
    std::optional<HttpResponse> look_at(HttpExchange& exchange, Found found);

    ServerContext& context_;
};

}  // namespace jobq
