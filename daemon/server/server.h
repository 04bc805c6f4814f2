// Server: the listeners, and the sessions they brought.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/async/gate.h"
#include "daemon/loop/listener.h"
#include "daemon/server/session.h"

namespace jobq {

class Server {
  public:
    Server(UvReactor& reactor, ServerContext& context);

    // Adds a listener; its taken endpoint, or why not.
    Result<Endpoint> listen(const Endpoint& endpoint);
    // No new connections; those there stay.
    void stop_listening();
    // Ends all sessions and waits for them.
    task<void> stop();

    size_t sessions() const { return sessions_.size(); }

  private:
    void accept(std::unique_ptr<Stream> stream);
    task<void> serve(std::shared_ptr<Session> session, uint64_t id);

    UvReactor& reactor_;
    ServerContext& context_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::map<uint64_t, std::shared_ptr<Session>> sessions_;
    uint64_t next_id_ = 1;
    Gate gate_;
};

}  // namespace jobq
