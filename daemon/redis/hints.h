// HintListener: hears what is published on one channel, on a connection of its own (one that
// subscribes can do nothing else). Hints say "look now" and may be lost while the connection is
// away; who listens must look by itself after a reconnect, which on_up tells.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "core/net/redis_url.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/reconnect_pause.h"

namespace jobq {

class HintListener {
  public:
    HintListener(UvReactor& reactor, RedisAddress address, std::string channel,
                 std::function<void(std::string)> on_hint, std::function<void()> on_up);
    ~HintListener();  // only after stop(), if it was started
    HintListener(const HintListener&) = delete;

    void start();
    task<void> stop();

    bool listening() const { return listening_; }

    // As of UvRedisLink.
    void try_now();

    // The name may stand for another server by now: subscribes there.
    void renew() {
        if (listening_ && connection_) connection_->close("subscribes again");
    }

  private:
    task<void> run();
    task<void> connect_once();
    task<void> subscribe();
    task<void> watch();
    void take(Reply reply);

    UvReactor& reactor_;
    RedisAddress address_;
    std::string channel_;
    std::function<void(std::string)> on_hint_;
    std::function<void()> on_up_;
    Gate gate_;
    Signal wake_, subscribed_;
    ReconnectPause backoff_;
    std::unique_ptr<RedisConnection> connection_;
    bool listening_ = false, subscribing_ = false, stopping_ = false, hurry_ = false;
};

}  // namespace jobq
