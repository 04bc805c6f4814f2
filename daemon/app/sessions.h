// Sessions: those who are connected to the socket, and what their verbs may use; the HTTP API uses
// the same. Ended after all that may still have an answer for them.
#pragma once

#include <memory>

#include "daemon/app/broker_part.h"
#include "daemon/server/operations.h"
#include "daemon/server/server.h"

namespace jobq {

class Sessions final : public Part {
  public:
    // All that a ServerContext names, but for what is made at the start.
    struct Views {
        DaemonStatus& status;
        Access& access;
        Counters& counters;
        PoolTable& pools;
        RunnerView& runner;
        ProcessWatch& processes;
        LiveFeed& live;
        MetricsText& metrics;
    };

    Sessions(UvReactor& reactor, BrokerPart& broker, const Views& views)
        : reactor_(reactor), broker_(broker), views_(views) {}

    task<Result<>> start() override;
    task<void> drain(Ending ending) override;
    task<void> stop(Ending ending) override;

    // Both from start() on.
    ServerContext& context() { return *context_; }

    Server& server() { return *server_; }

  private:
    UvReactor& reactor_;
    BrokerPart& broker_;
    const Views views_;
    std::unique_ptr<Operations> operations_;
    std::unique_ptr<ServerContext> context_;
    std::unique_ptr<Server> server_;
    bool stopped_ = false;
};

}  // namespace jobq
