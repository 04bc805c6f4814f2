// The runner's side of a connection; see client.h.
// Must stay true: after any failure but an error reply the connection is closed.
#include "daemon/runner/client.h"

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/protocol/password.h"

namespace jobq {
namespace {

// A reply to TAKE holds several payloads.
constexpr size_t kReplyBytes = 128 << 20;

tl::unexpected<Error> refused(std::string_view line) {
    line.remove_prefix(1);
    auto space = line.find(' ');
    auto code = error_code_from_name(line.substr(0, space));
    auto text = space == std::string_view::npos ? line : line.substr(space + 1);
    return fail(code, std::string(text));
}

}  // namespace

void Client::close() {
    ready_ = false;
    if (stream_) stream_->close();
}

task<Result<>> Client::connect() {
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

Result<> Client::start_tls() {
    if (!dial_.endpoint.tls) return {};
    auto engine = TlsEngine::client(dial_.tls, dial_.endpoint.host);
    if (!engine) return tl::unexpected<Error>(engine.error());
    stream_->start_tls(std::move(*engine));
    return {};
}

// With pwdhash, where the greeting asks for it.
Result<std::string> Client::hello_for(std::string_view greeting) const {
    constexpr std::string_view kHi = "+HI ";
    if (!greeting.starts_with(kHi))
        return fail(ErrorCode::unavailable, dial_.endpoint.text() + " is not a jobqd");
    auto hash = password_answer(greeting.substr(kHi.size()), dial_.password);
    if (!hash && hash.error().code == ErrorCode::unauthorized)
        return fail(ErrorCode::unauthorized,
                    hash.error().text + ": put it, or the name of its file, into JOBQ_PASSWORD");
    if (!hash) return hash;
    std::string hello = dial_.hello;
    if (!hash->empty()) hello.insert(hello.rfind('}'), ",\"pwdhash\":\"" + *hash + "\"");
    return hello;
}

task<Result<>> Client::shake_hands() {
    int64_t until = reactor_.now_ms() + limits::kHandshakeMs;
    auto greeting = co_await read_line(until);
    if (!greeting) co_return tl::unexpected<Error>(greeting.error());
    auto hello = hello_for(*greeting);
    if (!hello) co_return tl::unexpected<Error>(hello.error());
    stream_->write(*hello);
    auto answer = co_await read_line(until);
    if (!answer) co_return tl::unexpected<Error>(answer.error());
    if (answer->starts_with("-")) co_return refused(*answer);
    if (*answer != "+OK")
        co_return fail(ErrorCode::unavailable, dial_.endpoint.text() + " is not a jobqd");
    co_return Result<>();
}

// Waits until that many bytes are there.
task<Result<>> Client::read_until(size_t bytes, int64_t until_ms) {
    while (stream_->buffer().size() < bytes) {
        int64_t left = until_ms - reactor_.now_ms();
        bool more = false;
        if (left > 0) more = co_await stream_->read_more(left);
        if (more) continue;
        bool cut = stream_->closed();
        std::string why = stream_->error();
        close();
        if (cut && !why.empty()) co_return fail(ErrorCode::unknown, why);
        if (cut) co_return fail(ErrorCode::unknown, "jobqd closed the connection");
        co_return fail(ErrorCode::timeout, "jobqd does not answer");
    }
    co_return Result<>();
}

task<Result<std::string>> Client::read_line(int64_t until_ms) {
    size_t end = std::string::npos;
    while ((end = stream_->buffer().find('\n')) == std::string::npos) {
        auto more = co_await read_until(stream_->buffer().size() + 1, until_ms);
        if (!more) co_return tl::unexpected<Error>(more.error());
    }
    std::string line = stream_->buffer().substr(0, end);
    stream_->buffer().erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    co_return line;
}

task<Result<std::string>> Client::call(std::string line, int64_t limit_ms) {
    if (!connected()) co_return fail(ErrorCode::unavailable, "not connected to jobqd");
    int64_t until = reactor_.now_ms() + limit_ms;
    stream_->write(line);
    auto head = co_await read_line(until);
    if (!head) co_return tl::unexpected<Error>(head.error());
    if (head->starts_with('-')) co_return refused(*head);
    auto size =
        head->starts_with('$') ? parse_int(std::string_view(*head).substr(1)) : std::nullopt;
    if (!size || *size < 0 || size_t(*size) > kReplyBytes) {
        close();
        co_return fail(ErrorCode::unknown, "jobqd sent what is no reply");
    }
    auto body_bytes = size_t(*size);
    auto whole = co_await read_until(body_bytes + 2, until);
    if (!whole) co_return tl::unexpected<Error>(whole.error());
    std::string body = stream_->buffer().substr(0, body_bytes);
    stream_->buffer().erase(0, body_bytes + 2);
    co_return body;
}

}  // namespace jobq
