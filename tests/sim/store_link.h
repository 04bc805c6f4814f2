// StoreLink: the way from one daemon to the store, as UvRedisLink with Redis at its end behaves.
// Commands of one connection are carried out in their order; those of different connections in any.
// A connection that is lost takes with it what was not answered: each such command may have been
// carried out, may never be, or may be later, when the next connection is long in use.
//
// Called by FaultyStore. Lives in the world, not in the daemon: what was sent before a kill
// arrives.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "tests/sim/world.h"

namespace jobq::sim {

// The one Redis: it may stand still, and then nothing of what was sent is carried out; or answer
// and refuse whatever it is asked.
struct StoreServer {
    int64_t still_until_ms = 0, refuses_until_ms = 0;
    ErrorCode refuses_with = ErrorCode::unavailable;
    uint64_t calls = 0;
};

class StoreLink : public std::enable_shared_from_this<StoreLink> {
  public:
    struct Command {
        std::string name;
        std::function<void()> execute;        // in the store, at once
        std::function<void()> answer;         // to the daemon
        std::function<void(ErrorCode)> fail;  // unknown: no answer; else it was not done
        int64_t until_ms = 0;                 // filled in by send()
    };

    StoreLink(World& world, StoreServer& server) : world_(world), server_(server) {}

    void send(Command command);
    // Tried again from now on, after a while.
    void cut(bool drop_unread);
    // The daemon was killed: nothing is answered any more.
    void die();

    // The store was its own and ends: what it did not read is lost.
    void forget() {
        for (const auto& connection : all_)
            connection->dropped = true;
    }

    // Called when a connection is there again.
    void on_up(std::function<void()> fn) { on_up_ = std::move(fn); }

    // Called to kill the daemon, from outside of it.
    void on_kill(std::function<void()> fn) { on_kill_ = std::move(fn); }

  private:
    struct Sent {
        Command command;
        bool executed = false, over = false;
        std::optional<ErrorCode> refused{};
    };

    struct Connection {
        bool open = true, dropped = false;  // dropped: what was not read yet is lost
        int64_t last_arrival_ms = 0, last_answer_ms = 0;
        std::deque<std::shared_ptr<Sent>> unread;    // on its way
        std::deque<std::shared_ptr<Sent>> awaiting;  // not answered
    };

    using Shared = std::shared_ptr<Connection>;

    int64_t delay();
    void transmit(Command command);
    void arrive(Shared connection);
    void reply(Shared connection, std::shared_ptr<Sent> sent);
    void connect_later();
    void connected();
    void expire_waiting();

    World& world_;
    StoreServer& server_;
    Shared connection_ = std::make_shared<Connection>();
    std::vector<Shared> all_{connection_};
    std::deque<Command> waiting_;
    bool dead_ = false;
    std::function<void()> on_up_, on_kill_;
};

}  // namespace jobq::sim
