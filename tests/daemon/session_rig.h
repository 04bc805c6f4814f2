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

// Over a store of memory, or one that is spoilt.
template <class Store>
struct SessionRig {
    SessionRig()
        : store(reactor),
          events(reactor),
          workers(reactor),
          broker(reactor, store, events, workers, std::make_shared<Config>()),
          context{reactor, broker},
          server(reactor, context) {
        context.door = Door::make(ListenConfig{}, 0).value();
        context.state = DaemonState::ready;
        context.types_of = [](const std::string&) { return Types(); };
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
        auto nobody = [this] { return context.connections == 0 && server.sessions() == 0; };
        all_left = co_await until(reactor, nobody, 5'000);
        co_await server.stop();
    }

    TempDir dir;
    UvReactor reactor;
    Store store;
    Events events;
    Workers workers;
    Broker broker;
    ServerContext context;
    Server server;
    std::string trouble;
    bool all_left = false;
};

}  // namespace jobq::test
