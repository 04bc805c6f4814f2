// RedisConnection: one connection to Redis, from connected to closed. Commands go out in order,
// replies come back in the same order; the oldest one's deadline stands for all, since nothing can
// overtake it. A Redis command can't be taken back, so what is in flight when the connection ends,
// for whatever reason, ends as `unknown`. Used by the link and by the hint subscription.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "daemon/loop/stream.h"
#include "daemon/redis/pending_call.h"
#include "daemon/redis/reply_decoder.h"

namespace jobq {

struct RoundTrips {
    int64_t p50_us = 0;      // a running estimate
    int64_t longest_us = 0;  // since the last take
};

class RedisConnection {
  public:
    // `name` says where to in error texts.
    RedisConnection(UvReactor& reactor, std::unique_ptr<Stream> stream, std::string name,
                    int64_t deadline_ms);
    ~RedisConnection();  // only after read_replies() has returned
    RedisConnection(const RedisConnection&) = delete;

    // `call` completes with the reply or unknown, or, on a closed connection, at once with
    // unavailable.
    void send(const Command& command, PendingCall& call);

    // Its reply, if any, goes to on_push.
    void send_only(const Command& command) { command.write_to(stream_->compose()); }

    task<Result<Reply>> call(Command command);

    // Runs until the connection ends, then ends all that is in flight. To be run once.
    task<void> read_replies();
    // Closes; read_replies() returns soon. The first reason given is kept.
    void close(std::string why);

    bool closed() const { return stream_->closed(); }

    // Why it ended, for people.
    const std::string& reason() const { return reason_; }

    // Takes replies that nobody asked for (a subscription's); without it they are an error. The
    // hint connection sends nothing once it listens.
    std::function<void(Reply)> on_push;
    std::function<void(int64_t us)> on_round_trip;  // of each call that was answered

    size_t in_flight() const { return in_flight_.size(); }

    int64_t idle_ms() const { return reactor_.now_ms() - last_byte_ms_; }

    RoundTrips round_trips() const { return round_trips_; }

  private:
    struct Sent {
        PendingCall* call;
        int64_t at_us;
    };

    bool take_replies();
    bool take_chunk(std::string_view chunk, int64_t now_us);
    void answer(Reply reply, int64_t now_us);
    void arm_deadline(int64_t delay_ms);
    void check_deadline(bool asked_twice);

    UvReactor& reactor_;
    std::unique_ptr<Stream> stream_;
    ReplyDecoder decoder_;
    std::string name_, reason_;
    std::deque<Sent> in_flight_;
    RoundTrips round_trips_;
    int64_t deadline_ms_, last_byte_ms_;
    TimerId timer_ = 0;
    int inside_ = 0;
};

}  // namespace jobq
