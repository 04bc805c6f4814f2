// The runner's side of a connection; see client.h.
// Must stay true: after any failure but an error reply the connection is closed.
#include "daemon/runner/broker_client.h"

#include "core/base/limits.h"

namespace jobq {
namespace {

// A reply to TAKE holds several payloads.
constexpr size_t kReplyBytes = 128 << 20;

}  // namespace

void BrokerClient::close() {
    ready_ = false;
    if (stream_) stream_->close();
}

task<Result<>> BrokerClient::connect() {
    close();
    auto stream = co_await Stream::connect(reactor_, dial_.endpoint, limits::kHandshakeMs);
    if (!stream) co_return tl::unexpected<Error>(stream.error());
    stream_ = std::move(*stream);
    stream_->set_max_buffer(kReplyBytes);
    auto secured = start_tls();
    if (!secured) co_return secured;
    auto shaken = co_await shake_hands();
    if (!shaken) {
        close();
        if (dial_.endpoint.tls) shaken.error().text.insert(0, dial_.endpoint.text() + ": ");
    }
    ready_ = shaken.has_value();
    co_return shaken;
}

Result<> BrokerClient::start_tls() {
    if (!dial_.endpoint.tls) return {};
    auto engine = TlsEngine::client(dial_.tls, dial_.endpoint.host);
    if (!engine) return tl::unexpected<Error>(engine.error());
    stream_->start_tls(std::move(*engine));
    return {};
}

task<Result<>> BrokerClient::shake_hands() {
    int64_t until = reactor_.now_ms() + limits::kHandshakeMs;
    auto greeting = co_await read_one(until);
    if (!greeting) co_return tl::unexpected<Error>(greeting.error());
    auto hello = answer_greeting(*greeting, dial_.hello, dial_.password);
    if (!hello) {
        Error error = hello.error();
        if (error.code == ErrorCode::unauthorized)
            error.text += "; put it, or the name of a file with it, in JOBQ_PASSWORD";
        co_return tl::unexpected<Error>(std::move(error));
    }
    stream_->write(*hello);
    auto answer = co_await read_one(until);
    if (!answer) co_return tl::unexpected<Error>(answer.error());
    if (*answer != "OK")
        co_return fail(ErrorCode::unavailable, dial_.endpoint.text() + " is not a jobqd");
    co_return Result<>();
}

task<Result<>> BrokerClient::read_more(int64_t until_ms) {
    int64_t left = until_ms - reactor_.now_ms();
    bool more = false;
    if (left > 0) more = co_await stream_->read_more(left);
    if (more) co_return Result<>();
    bool cut = stream_->closed();
    std::string why = stream_->error();
    close();
    if (cut && !why.empty()) co_return fail(ErrorCode::unknown, why);
    if (cut) co_return fail(ErrorCode::unknown, "jobqd closed the connection");
    co_return fail(ErrorCode::timeout, "jobqd does not answer");
}

task<Result<std::string>> BrokerClient::read_one(int64_t until_ms) {
    auto reply = read_reply(stream_->buffer(), kReplyBytes);
    while (reply && !*reply) {
        auto more = co_await read_more(until_ms);
        if (!more) co_return tl::unexpected<Error>(more.error());
        reply = read_reply(stream_->buffer(), kReplyBytes);
    }
    if (!reply) {
        close();
        co_return fail(ErrorCode::unknown, dial_.endpoint.text() + " is not a jobqd");
    }
    const ReplyView::Kind kind = (*reply)->kind;
    std::string text((*reply)->text);
    stream_->buffer().erase(0, (*reply)->bytes);
    if (kind == ReplyView::Kind::error) co_return tl::unexpected<Error>(error_of(text));
    co_return text;
}

task<Result<std::string>> BrokerClient::call(std::string line, int64_t limit_ms) {
    if (!connected()) co_return fail(ErrorCode::unavailable, "not connected to jobqd");
    int64_t until = reactor_.now_ms() + limit_ms;
    stream_->write(line);
    auto answer = co_await read_one(until);
    co_return answer;
}

}  // namespace jobq
