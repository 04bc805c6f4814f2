// StoreLink: see store_link.h. Every step is a timer of the world.
#include "tests/sim/store_link.h"

#include <algorithm>

#include "core/base/limits.h"

namespace jobq::sim {

// Mostly a millisecond; now and then a slow disk.
int64_t StoreLink::delay() {
    if (world_.fault(20)) return world_.between(10, 800);
    return world_.between(0, 2);
}

void StoreLink::send(Command command) {
    if (dead_) return;
    if (!connection_) {
        command.until_ms = world_.now() + limits::kRedisReadyWaitMs;
        waiting_.push_back(std::move(command));
        auto self = shared_from_this();
        world_.clock.after(limits::kRedisReadyWaitMs, [self] { self->expire_waiting(); });
        return;
    }
    transmit(std::move(command));
}

void StoreLink::expire_waiting() {
    while (!waiting_.empty() && waiting_.front().until_ms <= world_.now()) {
        auto fail = std::move(waiting_.front().fail);
        waiting_.pop_front();
        if (!dead_) fail(ErrorCode::unavailable);
    }
}

void StoreLink::transmit(Command command) {
    ++server_.calls;
    auto self = shared_from_this();
    auto sent = std::make_shared<Sent>();
    sent->command = std::move(command);
    auto connection = connection_;
    connection->unread.push_back(sent);
    connection->awaiting.push_back(sent);
    int64_t at = std::max(world_.now() + delay(), connection->last_arrival_ms);
    connection->last_arrival_ms = at;
    world_.clock.after(at - world_.now(), [self, connection] { self->arrive(connection); });
    world_.clock.after(limits::kRedisDeadlineMs, [self, connection, sent] {
        if (sent->over || !connection->open) return;
        if (self->world_.tracing) self->world_.say("no answer in time: " + sent->command.name);
        self->cut(self->world_.chance(500));
    });
    if (world_.fault(world_.plan.daemon_kills) && on_kill_) {
        // Killed at some instant between the send and a little after its answer.
        int64_t in = world_.between(0, 4);
        world_.clock.after(in, [self] {
            if (!self->dead_) self->on_kill_();
        });
    }
    if (!world_.fault(world_.plan.call_faults)) return;
    if (world_.chance(200)) {
        int64_t still =
            world_.chance(500) ? world_.between(50, 4'000) : world_.between(4'000, 40'000);
        server_.still_until_ms = std::max(server_.still_until_ms, world_.now() + still);
        if (world_.tracing) world_.say("the store stands still for " + std::to_string(still));
        return;
    }
    if (world_.chance(200)) {
        const int64_t spell = world_.between(10, 4'000);
        static constexpr ErrorCode kWith[] = {ErrorCode::unavailable, ErrorCode::storage_full,
                                              ErrorCode::internal};
        server_.refuses_with = kWith[world_.between(0, 2)];
        server_.refuses_until_ms = std::max(server_.refuses_until_ms, world_.now() + spell);
        if (world_.tracing) world_.say("the store refuses for " + std::to_string(spell));
        return;
    }
    bool drop = world_.chance(500);
    world_.clock.after(world_.between(0, 3), [self, connection, drop] {
        if (connection->open) self->cut(drop);
    });
}

void StoreLink::arrive(Shared connection) {
    if (connection->dropped || connection->unread.empty()) return;
    auto self = shared_from_this();
    if (server_.still_until_ms > world_.now()) {
        // All that wait are read in any order of connections when it goes on.
        int64_t in = server_.still_until_ms - world_.now() + world_.between(0, 3);
        world_.clock.after(in, [self, connection] { self->arrive(connection); });
        return;
    }
    auto sent = connection->unread.front();
    connection->unread.pop_front();
    if (world_.tracing)
        world_.say("store: " + sent->command.name + (connection->open ? "" : " (late)"));
    if (server_.refuses_until_ms > world_.now()) {
        sent->refused = server_.refuses_with;
    } else {
        sent->command.execute();
        sent->executed = true;
    }
    int64_t at = std::max(world_.now() + delay(), connection->last_answer_ms);
    connection->last_answer_ms = at;
    world_.clock.after(at - world_.now(),
                       [self, connection, sent] { self->reply(connection, sent); });
}

void StoreLink::reply(Shared connection, std::shared_ptr<Sent> sent) {
    if (sent->over || !connection->open) return;
    // In order: an answer that overtook another by the dice of the timers waits for it.
    sent->over = true;
    std::erase(connection->awaiting, sent);
    if (dead_) return;
    if (sent->refused) {
        sent->command.fail(*sent->refused);
    } else {
        sent->command.answer();
    }
}

void StoreLink::cut(bool drop_unread) {
    if (!connection_ || dead_) return;
    auto connection = std::exchange(connection_, nullptr);
    if (world_.tracing) world_.say(drop_unread ? "link cut, unread dropped" : "link cut");
    connection->open = false;
    connection->dropped = drop_unread;
    for (const auto& sent : std::exchange(connection->awaiting, {})) {
        sent->over = true;
        sent->command.fail(ErrorCode::unknown);
    }
    connect_later();
}

void StoreLink::connect_later() {
    auto self = shared_from_this();
    int64_t in =
        world_.between(10, 500) + std::max<int64_t>(0, server_.still_until_ms - world_.now());
    world_.clock.after(in, [self] { self->connected(); });
}

void StoreLink::connected() {
    if (dead_) return;
    if (server_.still_until_ms > world_.now()) return connect_later();
    connection_ = std::make_shared<Connection>();
    all_.push_back(connection_);
    for (auto& command : std::exchange(waiting_, {}))
        transmit(std::move(command));
    if (on_up_) on_up_();
}

void StoreLink::die() {
    if (connection_) {
        connection_->open = false;
        connection_->dropped = world_.chance(500);
    }
    connection_ = nullptr;
    waiting_.clear();
    dead_ = true;
}

}  // namespace jobq::sim
