// Sessions of the socket in this process: the server on a store in memory, and blocking clients.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "daemon/observe/live_feed.h"
#include "daemon/server/operations.h"
#include "daemon/server/server.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/memory_store.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

class SessionClient {
  public:
    explicit SessionClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("no connection");
        timeval limit{10, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        line();
    }

    ~SessionClient() { ::close(fd_); }

    SessionClient(const SessionClient&) = delete;

    void say(const std::string& text) {
        const std::string bytes = text + "\r\n";
        if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
            throw std::runtime_error("nobody reads");
    }

    // "": the connection ended.
    std::string line() {
        std::string text;
        char c = 0;
        while (::recv(fd_, &c, 1, 0) == 1 && c != '\n')
            if (c != '\r') text += c;
        return text;
    }

    std::string ask(const std::string& text) {
        say(text);
        return line();
    }

    // The body of a bulk answer, or the line of another.
    std::string body(const std::string& text) {
        const std::string head = ask(text);
        return head.starts_with("$") && head != "$-1" ? line() : head;
    }

  private:
    int fd_;
};

// The parts of a daemon that stand above its sessions, where there are none.
struct NoViews final : RedisView, RunnerView, ProcessWatch, MetricsText {
    std::string state_text() const override { return "ready"; }

    StorageStatus storage() const override { return {}; }

    std::string runner;  // the wid of the runner

    std::string wid() override { return runner; }

    bool is_outdated() const override { return false; }

    void watch(const std::shared_ptr<Worker>& /*worker*/, int64_t /*pid*/) override {}

    task<std::string> text() override { co_return ""; }
};

// Over a store of memory, or one that is spoilt.
template <class Store>
struct SessionRig {
    SessionRig()
        : store(reactor),
          events(reactor),
          workers(reactor),
          config(std::make_shared<Config>()),
          broker(reactor, store, events, workers, config),
          pools(config),
          status(views, dir.path()),
          operations(reactor, broker),
          live(
              reactor, {}, "", [] {}, [] { return LiveSample{}; }),
          context{reactor, broker, status,     access, counters, pools,
                  views,   views,  operations, live,   views},
          server(reactor, context) {
        access.door = Door::make(ListenConfig{}, 0).value();
        status.state = DaemonState::ready;
        Endpoint endpoint;
        endpoint.unix_path = dir / "q.sock";
        REQUIRE(server.listen(endpoint));
    }

    // The client's side in a thread of its own; then the server stops.
    void with(std::function<void(const std::string& path)> client) {
        std::atomic<bool> done = false;
        std::thread thread([&] {
            try {
                client(dir / "q.sock");
            } catch (const std::exception& error) {
                trouble = error.what();
            }
            done = true;
        });
        on_loop(reactor, until_done(&done));
        thread.join();
        INFO(trouble);
        CHECK(trouble.empty());
    }

    task<void> until_done(std::atomic<bool>* done) {
        auto is_done = [done] { return done->load(); };
        co_await until(reactor, is_done, 20'000);
        auto nobody = [this] { return counters.connections == 0 && server.sessions() == 0; };
        all_left = co_await until(reactor, nobody, 5'000);
        co_await server.stop();
    }

    TempDir dir;
    UvReactor reactor;
    Store store;
    Events events;
    Workers workers;
    std::shared_ptr<const Config> config;
    Broker broker;
    PoolTable pools;
    NoViews views;
    DaemonStatus status;
    Access access;
    Counters counters;
    Operations operations;
    LiveFeed live;
    ServerContext context;
    Server server;
    std::string trouble;
    bool all_left = false;
};

}  // namespace jobq::test
