// HintListener: see hints.h. A subscription that died without a word (a firewall that forgot it)
// looks like a quiet one, so a quiet one is pinged.
#include "daemon/redis/hints.h"

#include "core/base/id.h"
#include "core/base/limits.h"
#include "daemon/redis/greeting.h"

namespace jobq {

HintListener::HintListener(UvReactor& reactor, RedisAddress address, std::string channel,
                           std::function<void(std::string)> on_hint, std::function<void()> on_up)
    : reactor_(reactor),
      address_(std::move(address)),
      channel_(std::move(channel)),
      on_hint_(std::move(on_hint)),
      on_up_(std::move(on_up)),
      gate_(reactor),
      wake_(reactor),
      subscribed_(reactor),
      backoff_(random_u64(), limits::kRedisBackoffMinMs, limits::kRedisBackoffMaxMs) {}

HintListener::~HintListener() {
    JOBQ_CHECK(!connection_);
}

void HintListener::start() {
    gate_.keep([this] { return run(); });
}

task<void> HintListener::stop() {
    stopping_ = true;
    wake_.notify_all();
    if (connection_) connection_->close("jobqd is shutting down");
    auto closed = gate_.close();
    co_await closed;
}

void HintListener::try_now() {
    hurry_ = true;
    wake_.notify_all();
}

task<void> HintListener::run() {
    while (!stopping_) {
        hurry_ = false;
        auto once = connect_once();
        co_await once;
        int64_t wait_ms = backoff_.next_ms();
        if (stopping_ || hurry_) continue;
        auto woken = wake_.wait(wait_ms);
        co_await woken;
    }
}

task<void> HintListener::connect_once() {
    auto stream = co_await Stream::connect(reactor_, address_.endpoint, limits::kRedisConnectMs);
    if (!stream || stopping_) co_return;
    int64_t began = reactor_.now_ms();
    connection_ = std::make_unique<RedisConnection>(
        reactor_, std::move(*stream), "Redis at " + address_.text(), limits::kRedisDeadlineMs);
    subscribing_ = true;
    gate_.spawn(subscribe());
    auto replies = connection_->read_replies();
    co_await replies;
    bool was_listening = std::exchange(listening_, false);
    wake_.notify_all();
    while (subscribing_) {
        auto end = subscribed_.wait(-1);
        co_await end;
    }
    if (was_listening && reactor_.now_ms() - began >= limits::kRedisStableMs) backoff_.reset();
    connection_.reset();
}

// Ends when the connection does.
task<void> HintListener::subscribe() {
    Greeting words;
    words.address = address_;
    words.client_name = "jobqd-hints";
    auto greeting = greet(reactor_, *connection_, std::move(words));
    Result<> greeted = co_await greeting;
    if (greeted) {
        auto on_push = [this](Reply reply) { take(std::move(reply)); };
        connection_->on_push = on_push;
        Command command("SUBSCRIBE", channel_);
        auto reply = co_await connection_->call(std::move(command));
        listening_ = reply && !reply->is_error() && !connection_->closed();
    }
    if (listening_) {
        if (on_up_) on_up_();
        auto watching = watch();
        co_await watching;
    }
    connection_->close("no subscription");
    subscribing_ = false;
    subscribed_.notify_all();
}

task<void> HintListener::watch() {
    while (listening_ && !connection_->closed()) {
        auto woken = wake_.wait(limits::kHintPingMs);
        co_await woken;
        int64_t idle_ms = connection_->idle_ms();
        if (idle_ms >= 2 * limits::kHintPingMs + limits::kRedisDeadlineMs) break;
        if (idle_ms >= limits::kHintPingMs) connection_->send_only(Command("PING"));
    }
}

void HintListener::take(Reply reply) {
    bool message = reply.kind == Reply::Kind::array && reply.items.size() == 3 &&
                   reply.items[0].text == "message";
    if (message && !stopping_) on_hint_(std::move(reply.items[2].text));
}

}  // namespace jobq
