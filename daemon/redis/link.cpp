// UvRedisLink: run() is the life of the link, one connection after another; everything else reacts
// to it through the state.
#include "daemon/redis/link.h"

#include <algorithm>

#include "core/base/id.h"
#include "core/store/link/redis_errors.h"
#include "daemon/redis/greeting.h"

namespace jobq {
namespace {

// What only a person can change is not asked for twenty times a second.
constexpr int64_t kConfigPauseMs = 2'000;

}  // namespace

std::string_view to_string(LinkState state) {
    switch (state) {
        case LinkState::down:
            return "down";
        case LinkState::connecting:
            return "connecting";
        case LinkState::loading:
            return "loading";
        case LinkState::ready:
            return "ready";
    }
    return "down";
}

UvRedisLink::UvRedisLink(UvReactor& reactor, Settings settings)
    : reactor_(reactor),
      settings_(std::move(settings)),
      gate_(reactor),
      wake_(reactor),
      changed_(reactor),
      greeted_(reactor),
      backoff_(random_u64(), limits::kRedisBackoffMinMs, limits::kRedisBackoffMaxMs),
      trouble_{ErrorCode::unavailable, "no connection to Redis yet"} {}

UvRedisLink::~UvRedisLink() {
    JOBQ_CHECK(waiting_.empty() && !connection_);
}

void UvRedisLink::start() {
    JOBQ_CHECK(!started_);
    started_ = true;
    gate_.keep([this] { return run(); });
}

task<void> UvRedisLink::stop() {
    stopping_ = true;
    trouble_ = Error{ErrorCode::unavailable, "jobqd is shutting down"};
    expire_waiting(true);
    wake_.notify_all();
    changed_.notify_all();
    if (connection_) connection_->close("jobqd is shutting down");
    auto closed = gate_.close();
    co_await closed;
}

task<Result<Reply>> UvRedisLink::call(Command command) {
    PendingCall pending(reactor_);
    issue(std::move(command), pending);
    Result<Reply> reply = co_await pending;
    if (!reply)
        ++(reply.error().code == ErrorCode::unknown ? figures_.unknown : figures_.unavailable);
    if (reply && reply->is_error()) leave(reply->text);
    end_left();
    co_return reply;
}

// A link that answers is not a good link. What is on its way has its answers first: it would be
// unknown without.
void UvRedisLink::leave(const std::string& reply) {
    if (state_ != LinkState::ready || leaving_ || !connection_) return;
    if (redis_error_of(reply).means != RedisMeans::leave_link) return;
    leaving_ = true;
    refusal_ = Error{ErrorCode::unavailable, why_left(settings_.address, reply)};
    set_state(LinkState::down, refusal_);
}

void UvRedisLink::end_left() {
    if (leaving_ && connection_ && connection_->in_flight() == 0) connection_->close(refusal_.text);
}

void UvRedisLink::issue(Command command, PendingCall& call) {
    ++figures_.calls;
    if (state_ == LinkState::ready && connection_ && !connection_->closed()) {
        connection_->send(command, call);
    } else {
        hold_back(std::move(command), call);
    }
}

Error UvRedisLink::unavailable() const {
    return Error{ErrorCode::unavailable, "Redis can't be reached: " + trouble_.text};
}

// --- Calls that wait for a connection -----------------------------------------------------------

void UvRedisLink::hold_back(Command command, PendingCall& call) {
    bool full = waiting_.size() >= settings_.waiting_calls ||
                waiting_bytes_ + command.bytes() > settings_.waiting_bytes;
    bool hopeless = stopping_ || trouble_.code == ErrorCode::config;
    if (full || hopeless || settings_.ready_wait_ms <= 0) {
        call.complete(tl::unexpected<Error>(unavailable()));
        return;
    }
    waiting_bytes_ += command.bytes();
    int64_t until = reactor_.now_ms() + settings_.ready_wait_ms;
    waiting_.push_back(Waiting{&call, std::move(command), until});
    arm_waiting_timer();
}

void UvRedisLink::arm_waiting_timer() {
    if (waiting_timer_ != 0 || waiting_.empty()) return;
    int64_t wait_ms = std::max<int64_t>(1, waiting_.front().until_ms - reactor_.now_ms());
    waiting_timer_ = reactor_.after(wait_ms, [this] {
        waiting_timer_ = 0;
        expire_waiting(false);
        arm_waiting_timer();
    });
}

void UvRedisLink::expire_waiting(bool all) {
    int64_t now = reactor_.now_ms();
    while (!waiting_.empty() && (all || waiting_.front().until_ms <= now)) {
        Waiting first = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= first.command.bytes();
        first.call->complete(tl::unexpected<Error>(unavailable()));
    }
    if (waiting_.empty()) reactor_.cancel(std::exchange(waiting_timer_, 0));
}

// All at once, before anyone else may send: calls keep the order they were made in.
void UvRedisLink::send_waiting() {
    while (!waiting_.empty()) {
        Waiting first = std::move(waiting_.front());
        waiting_.pop_front();
        connection_->send(first.command, *first.call);
    }
    waiting_bytes_ = 0;
    reactor_.cancel(std::exchange(waiting_timer_, 0));
}

// --- One connection after another ---------------------------------------------------------------

void UvRedisLink::set_state(LinkState state, Error trouble) {
    state_ = state;
    trouble_ = std::move(trouble);
    if (state == LinkState::ready) send_waiting();
    if (trouble_.code == ErrorCode::config && state != LinkState::ready) expire_waiting(true);
    changed_.notify_all();
    // Trying again and failing again for the same reason is not news, twice a second for hours.
    bool trying = state != LinkState::ready;
    bool news = !trying || trouble_.text != told_;
    told_ = trying ? trouble_.text : "";
    if (news && on_state_) on_state_(state_, trouble_);
}

task<void> UvRedisLink::run() {
    while (!stopping_) {
        hurry_ = false;
        auto once = connect_once();
        co_await once;
        if (stopping_) break;
        auto before_next = pause();
        co_await before_next;
    }
    state_ = LinkState::down;
}

task<void> UvRedisLink::pause() {
    bool config = trouble_.code == ErrorCode::config;
    int64_t wait_ms = config ? kConfigPauseMs : backoff_.next_ms();
    if (hurry_) co_return;
    auto woken = wake_.wait(wait_ms);
    co_await woken;
}

void UvRedisLink::try_now() {
    hurry_ = true;
    wake_.notify_all();
}

task<void> UvRedisLink::connect_once() {
    // The trouble of the last try is the better answer as long as this one has not failed.
    set_state(LinkState::connecting, trouble_);
    Endpoint endpoint = settings_.address.endpoint;
    auto stream = co_await Stream::connect(reactor_, endpoint, limits::kRedisConnectMs);
    if (stopping_) co_return;
    if (!stream) {
        Error why = stream.error();
        why.code = ErrorCode::unavailable;
        set_state(LinkState::down, std::move(why));
        co_return;
    }
    ++figures_.connects;
    auto served = serve(std::move(*stream));
    co_await served;
}

task<void> UvRedisLink::serve(std::unique_ptr<Stream> stream) {
    std::string name = "Redis at " + settings_.address.text();
    connection_ =
        std::make_unique<RedisConnection>(reactor_, std::move(stream), name, settings_.deadline_ms);
    connection_->on_round_trip = settings_.on_round_trip;
    int64_t began = reactor_.now_ms();
    greeting_ = true;
    refusal_ = Error{};
    leaving_ = false;
    gate_.spawn(greet_connection());
    auto replies = connection_->read_replies();
    co_await replies;
    bool was_ready = state_ == LinkState::ready || leaving_;
    while (greeting_) {
        auto end = greeted_.wait(-1);  // its calls have ended; so will it
        co_await end;
    }
    // One that breaks at once again and again (a full disk) must not be hammered.
    if (was_ready && reactor_.now_ms() - began >= limits::kRedisStableMs) backoff_.reset();
    round_trips_ = connection_->round_trips();
    Error why = refusal_;
    // A connection that was merely cut is told by its reason, not by the call it was cut in.
    if ((was_ready && !leaving_) || why.text.empty() || why.code == ErrorCode::unknown)
        why = Error{ErrorCode::unavailable,
                    "the connection to " + name + " ended: " + connection_->reason()};
    connection_.reset();
    if (!stopping_) set_state(LinkState::down, std::move(why));
}

task<void> UvRedisLink::greet_connection() {
    std::function<void(Loading)> told = [this](Loading loading) {
        // Once more is no progress: another connection to one that stands still.
        if (loading.loaded_bytes != loading_.loaded_bytes) life_ms_ = reactor_.now_ms();
        loading_ = loading;
        const std::string far = loading.text();
        Error trouble{ErrorCode::unavailable, why_left(settings_.address, "LOADING")};
        if (!far.empty()) trouble.text += ": " + far;
        set_state(LinkState::loading, std::move(trouble));
    };
    Greeting words;
    words.address = settings_.address;
    words.client_name = settings_.client_name;
    words.probe_key = settings_.probe_key;
    words.on_loading = std::move(told);
    auto greeting = greet(reactor_, *connection_, std::move(words));
    Result<> done = co_await greeting;
    if (!done) {
        refusal_ = done.error();
        connection_->close(refusal_.text);
    } else if (!stopping_ && !connection_->closed()) {
        set_state(LinkState::ready, Error{});
    }
    greeting_ = false;
    greeted_.notify_all();
}

task<Result<>> UvRedisLink::wait_ready(int64_t limit_ms) {
    life_ms_ = reactor_.now_ms();
    while (state_ != LinkState::ready) {
        int64_t left = life_ms_ + limit_ms - reactor_.now_ms();
        if (stopping_ || trouble_.code == ErrorCode::config || left <= 0)
            co_return tl::unexpected<Error>(trouble_);
        auto change = changed_.wait(left);
        co_await change;
    }
    co_return Result<>();
}

LinkFigures UvRedisLink::figures() const {
    LinkFigures now = figures_;
    now.state = state_;
    now.in_flight = connection_ ? connection_->in_flight() : 0;
    now.waiting = waiting_.size();
    now.waiting_bytes = waiting_bytes_;
    now.round_trips = connection_ ? connection_->round_trips() : round_trips_;
    return now;
}

}  // namespace jobq
