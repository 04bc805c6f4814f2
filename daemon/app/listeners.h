// Listeners: where clients come in: the Unix socket, TCP and HTTP. They open when all that clients
// may ask for is there, and close first.
#pragma once

#include <memory>

#include "daemon/app/options.h"
#include "daemon/app/sessions.h"
#include "daemon/http/api.h"

namespace jobq {

class Listeners final : public Part {
  public:
    Listeners(UvReactor& reactor, const ConfigPtr& config, const Places& places, Sessions& sessions)
        : reactor_(reactor), config_(config), places_(places), sessions_(sessions) {}

    // conflict: an address is taken.
    task<Result<>> start() override;
    task<void> drain(Ending ending) override;
    task<void> stop(Ending ending) override;

  private:
    Result<> listen();
    Result<> listen_tcp();
    Result<> listen_http();

    UvReactor& reactor_;
    const ConfigPtr& config_;
    const Places& places_;
    Sessions& sessions_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<HttpServer> http_;
    bool open_ = false, draining_ = false;
};

}  // namespace jobq
