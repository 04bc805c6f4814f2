// The runner's side of a connection; see client.h.
// Must stay true: after any failure but an error reply the connection is closed.
#include "daemon/runner/client.h"

#include "core/base/limits.h"
#include "core/base/text.h"

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
    auto stream = co_await Stream::connect(reactor_, endpoint_, limits::kHandshakeMs);
    if (!stream) co_return tl::unexpected<Error>(stream.error());
    stream_ = std::move(*stream);
    stream_->set_max_buffer(kReplyBytes);
    auto shaken = co_await shake_hands();
    if (!shaken) close();
    ready_ = shaken.has_value();
    co_return shaken;
}

task<Result<>> Client::shake_hands() {
    int64_t until = reactor_.now_ms() + limits::kHandshakeMs;
    auto greeting = co_await read_line(until);
    if (!greeting) co_return tl::unexpected<Error>(greeting.error());
    if (!greeting->starts_with("+HI "))
        co_return fail(ErrorCode::unavailable, endpoint_.text() + " is not a jobqd");
    stream_->write(hello_);
    auto answer = co_await read_line(until);
    if (!answer) co_return tl::unexpected<Error>(answer.error());
    if (answer->starts_with("-")) co_return refused(*answer);
    if (*answer != "+OK")
        co_return fail(ErrorCode::unavailable, endpoint_.text() + " is not a jobqd");
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
        close();
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
