// RedisConnection: see connection.h. The hot path is send() and answer(): one queue entry, one
// clock reading and no allocation beyond the reply's own.
#include "daemon/redis/connection.h"

#include <algorithm>
#include <ctime>

namespace jobq {
namespace {

// After a deadline has passed the loop looks at the socket once more before it gives up: when this
// process was stopped for a while, the replies are already there.
constexpr int64_t kSecondLookMs = 20;

int64_t clock_us() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return int64_t(t.tv_sec) * 1'000'000 + t.tv_nsec / 1'000;
}

}  // namespace

RedisConnection::RedisConnection(UvReactor& reactor, std::unique_ptr<Stream> stream,
                                 std::string name, int64_t deadline_ms)
    : reactor_(reactor),
      stream_(std::move(stream)),
      name_(std::move(name)),
      deadline_ms_(deadline_ms),
      last_byte_ms_(reactor.now_ms()) {}

RedisConnection::~RedisConnection() {
    JOBQ_CHECK(inside_ == 0 && in_flight_.empty());
    reactor_.cancel(timer_);
}

void RedisConnection::send(const Command& command, PendingCall& call) {
    if (closed()) {
        call.complete(fail(ErrorCode::unavailable, "the connection to " + name_ + " is closed"));
        return;
    }
    command.write_to(stream_->compose());
    in_flight_.push_back(Sent{&call, clock_us()});
    if (timer_ == 0) arm_deadline(deadline_ms_);
}

task<Result<Reply>> RedisConnection::call(Command command) {
    PendingCall pending(reactor_);
    send(command, pending);
    Result<Reply> reply = co_await pending;
    co_return reply;
}

void RedisConnection::arm_deadline(int64_t delay_ms) {
    bool again = delay_ms == kSecondLookMs;
    timer_ = reactor_.after(delay_ms, [this, again] {
        timer_ = 0;
        check_deadline(again);
    });
}

void RedisConnection::check_deadline(bool asked_twice) {
    if (in_flight_.empty()) return;
    int64_t left_ms = deadline_ms_ - (clock_us() - in_flight_.front().at_us) / 1'000;
    if (left_ms > 0) {
        // Not kSecondLookMs by chance: that value is the mark of a second look.
        arm_deadline(std::max(left_ms, kSecondLookMs + 1));
    } else if (!asked_twice) {
        arm_deadline(kSecondLookMs);
    } else {
        close("no answer within " + std::to_string(deadline_ms_) + " ms");
    }
}

void RedisConnection::close(std::string why) {
    if (reason_.empty()) reason_ = std::move(why);
    stream_->close();
}

void RedisConnection::answer(Reply reply, int64_t now_us) {
    if (in_flight_.empty()) {
        if (on_push) {
            on_push(std::move(reply));
        } else if (reply.is_error()) {
            close("Redis closed the connection: " +
                  reply.text);  // too many clients, protected mode
        } else {
            close("Redis sent a reply without a request");
        }
        return;
    }
    Sent sent = in_flight_.front();
    in_flight_.pop_front();
    int64_t took_us = now_us - sent.at_us;
    // Steps of a fixed share up and down settle where half of the values are on each side.
    int64_t step = round_trips_.p50_us / 64 + 1;
    round_trips_.p50_us += took_us > round_trips_.p50_us ? step : -step;
    round_trips_.longest_us = std::max(round_trips_.longest_us, took_us);
    if (on_round_trip) on_round_trip(took_us);
    sent.call->complete(std::move(reply));
}

bool RedisConnection::take_chunk(std::string_view chunk, int64_t now_us) {
    decoder_.feed(chunk);
    while (true) {
        Reply reply;
        auto step = decoder_.next(reply);
        if (step == ReplyDecoder::Step::more) return true;
        if (step == ReplyDecoder::Step::broken) {
            close("the reply does not follow the Redis protocol: " + decoder_.error());
            return false;
        }
        answer(std::move(reply), now_us);
        if (!reason_.empty()) return false;
    }
}

bool RedisConnection::take_replies() {
    std::string& in = stream_->buffer();
    if (in.empty()) return true;
    last_byte_ms_ = reactor_.now_ms();
    int64_t now_us = clock_us();
    std::string_view rest(in);
    bool good = true;
    while (good && !rest.empty()) {
        size_t size = std::min(rest.size(), ReplyDecoder::kChunkBytes);
        good = take_chunk(rest.substr(0, size), now_us);
        rest.remove_prefix(size);
    }
    in.clear();
    return good;
}

task<void> RedisConnection::read_replies() {
    ++inside_;
    bool good = true;
    while (good) {
        auto more = stream_->read_more(-1);
        bool came = co_await more;
        good = take_replies() && came;
    }
    if (reason_.empty())
        reason_ = stream_->error().empty() ? "Redis closed the connection" : stream_->error();
    stream_->close();
    reactor_.cancel(std::exchange(timer_, 0));
    std::string text = "the connection to " + name_ + " was lost before the answer came (" +
                       reason_ + "): the call may or may not have been carried out";
    while (!in_flight_.empty()) {
        PendingCall* call = in_flight_.front().call;
        in_flight_.pop_front();
        call->complete(fail(ErrorCode::unknown, text));
    }
    --inside_;
}

}  // namespace jobq
