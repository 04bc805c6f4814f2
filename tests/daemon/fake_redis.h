// FakeRedis: a Redis that misbehaves as told, on a Unix socket in the test's own loop. It answers a
// greeting properly; what comes after, and how, is the test's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/async/gate.h"
#include "daemon/loop/listener.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

using Words = std::vector<std::string>;

class FakeRedis {
  public:
    struct Client {
        std::unique_ptr<Stream> stream;
        std::vector<Words> seen;  // commands after the greeting
    };

    explicit FakeRedis(UvReactor& reactor);
    FakeRedis(const FakeRedis&) = delete;

    // What to send for a command; "" sends nothing. Without it, or with "default", a greeting's
    // commands and PING are answered as by Redis 7.0, others with "+OK".
    std::function<std::string(Client&, const Words&)> on_command;

    std::string url() const { return "unix:" + (dir_ / "redis.sock"); }

    // Ends all connections, and listens no more; listen() again.
    task<void> stop();
    void listen();

    int connects() const { return connects_; }

    // The commands of all connections after their greeting, in order.
    const std::vector<Words>& seen() const { return seen_; }

  private:
    task<void> serve(std::unique_ptr<Stream> stream);
    std::string answer(Client& client, const Words& words);

    UvReactor& reactor_;
    TempDir dir_;
    Gate gate_;
    std::unique_ptr<Listener> listener_;
    std::vector<Client*> clients_;
    std::vector<Words> seen_;
    int connects_ = 0;
};

std::string bulk(const std::string& text);

}  // namespace jobq::test
