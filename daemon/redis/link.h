// UvRedisLink: the store's way to Redis. Keeps one connection, makes a new one when it is lost, and
// holds calls back for a while when there is none.
//
//   down --> connecting --> loading --> ready      one way up; down from anywhere
//               +---------------------->
// A Redis that answers and can't serve (a replica, one that loads its data) is left: what was sent
// has its answers first, and the name is resolved anew.
// Must stay true: a command is written at most once. What was written and has no reply is
// `unknown`; what could not be written within limits::kRedisReadyWaitMs is `unavailable`. Whether
// to repeat is the store's business: it knows which operations are safe to repeat.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "core/base/limits.h"
#include "core/net/redis_url.h"
#include "core/store/link/redis_link.h"
#include "daemon/redis/connection.h"
#include "daemon/redis/greeting.h"
#include "daemon/redis/reconnect_pause.h"

namespace jobq {

enum class LinkState : uint8_t { down, connecting, loading, ready };
std::string_view to_string(LinkState state);

struct LinkFigures {
    LinkState state = LinkState::down;
    size_t in_flight = 0;                   // sent, not answered
    size_t waiting = 0, waiting_bytes = 0;  // for the connection
    uint64_t calls = 0, unknown = 0, unavailable = 0, connects = 0;
    RoundTrips round_trips;
};

class UvRedisLink final : public RedisLink {
  public:
    struct Settings {
        RedisAddress address;
        std::string client_name = "jobqd";
        std::string probe_key{};  // see Greeting
        int64_t deadline_ms = limits::kRedisDeadlineMs;
        int64_t ready_wait_ms = limits::kRedisReadyWaitMs;
        size_t waiting_calls = limits::kRedisWaitingCalls;
        size_t waiting_bytes = limits::kRedisWaitingBytes;
        std::function<void(int64_t us)> on_round_trip{};  // of each call
    };

    UvRedisLink(UvReactor& reactor, Settings settings);
    ~UvRedisLink() override;  // only after stop(), if it was started
    UvRedisLink(const UvRedisLink&) = delete;

    void start();
    // Ends what is in flight (unknown) and what waits (unavailable), then closes.
    task<void> stop();

    task<Result<Reply>> call(Command command) override;

    LinkState state() const { return state_; }

    // Why it is not ready. config: a person has to act; jobq still tries again now and then.
    const Error& trouble() const { return trouble_; }

    // Success once ready. The trouble, when that is of code config, at once; else when limit_ms has
    // passed, and Redis was not seen to get on with loading its data for so long.
    task<Result<>> wait_ready(int64_t limit_ms);

    // Called from the loop at each change of state, with trouble(). Tries that fail for the reason
    // that was told last are not told again.
    void on_state(std::function<void(LinkState, const Error&)> fn) { on_state_ = std::move(fn); }

    // Redis is known to be back: try now, not at the end of the back-off.
    void try_now();

    // When loading its data got further; monotonic, 0: it was not seen to.
    int64_t life_ms() const { return life_ms_; }

    LinkFigures figures() const;

  private:
    struct Waiting {
        PendingCall* call;
        Command command;
        int64_t until_ms;
    };

    task<void> run();
    task<void> connect_once();
    task<void> serve(std::unique_ptr<Stream> stream);
    task<void> greet_connection();
    task<void> pause();
    void set_state(LinkState state, Error trouble);
    void issue(Command command, PendingCall& call);
    void hold_back(Command command, PendingCall& call);
    void send_waiting();
    void expire_waiting(bool all);
    void arm_waiting_timer();
    Error unavailable() const;
    void leave(const std::string& reply);
    void end_left();

    UvReactor& reactor_;
    Settings settings_;
    Gate gate_;
    Signal wake_;     // ends a pause: try_now(), stop()
    Signal changed_;  // of state
    Signal greeted_;
    ReconnectPause backoff_;
    std::unique_ptr<RedisConnection> connection_;
    std::deque<Waiting> waiting_;
    size_t waiting_bytes_ = 0;
    TimerId waiting_timer_ = 0;
    LinkState state_ = LinkState::down;
    int64_t life_ms_ = 0;      // when loading got further
    Loading loading_;          // how far it was last
    std::string told_;         // the last trouble that on_state_ heard of
    Error trouble_, refusal_;  // refusal_: what greet(), or an answer, said of this connection
    std::function<void(LinkState, const Error&)> on_state_;
    LinkFigures figures_;
    RoundTrips round_trips_;  // of the last connection
    bool greeting_ = false, stopping_ = false, started_ = false, hurry_ = false;
    bool leaving_ = false;  // this connection: nothing more is sent on it
};

}  // namespace jobq
