// Stream with TLS: what the engine makes of the bytes that come, and of those that go. The socket,
// the limits and the waits are those of stream.cpp.
// Must stay true: at most kStepBytes are encrypted ahead of the socket; nothing the engine wants to
// say waits for a reader.
#include <algorithm>

#include "core/tls/tls.h"
#include "daemon/loop/stream.h"

namespace jobq {
namespace {

constexpr size_t kStepBytes = 64 << 10;
constexpr size_t kKeepPlainBytes = 1 << 20;  // of an idle buffer

}  // namespace

void Stream::start_tls(std::unique_ptr<TlsEngine> engine) {
    if (closed_) return;
    JOBQ_CHECK(received_total_ == 0 && unwritten() == 0);
    tls_ = std::move(engine);
    reading_ = true;  // the handshake goes on by itself
    update_polling();
    if (!tls_->outgoing().empty()) plan_flush();
}

void Stream::came_encrypted(std::string_view bytes) {
    size_t before = in_.size();
    auto taken = tls_->take(bytes, in_);
    received_total_ += in_.size() - before;
    if (!taken) return give_up_tls(taken.error());
    if (tls_->ended() && !ended_) end_of_input();
    // Its own words, or what waited for the handshake.
    bool more = !tls_->outgoing().empty() || (tls_->ready() && unwritten() > 0);
    if (more) plan_flush();
}

// Fills writing_: what the engine has to say, and as much of what is to be written as is fit to be
// encrypted at once.
void Stream::encrypt_some() {
    if (encrypted_ == plain_.size()) {
        plain_.clear();
        encrypted_ = 0;
        if (plain_.capacity() > kKeepPlainBytes && out_.empty()) std::string().swap(plain_);
        plain_.swap(out_);
    }
    if (tls_->ready() && encrypted_ < plain_.size()) {
        size_t step = std::min(kStepBytes, plain_.size() - encrypted_);
        auto sent = tls_->send(std::string_view(plain_).substr(encrypted_, step));
        if (!sent) return give_up_tls(sent.error());
        encrypted_ += step;
    }
    if (closing_after_write_ && encrypted_ == plain_.size() && out_.empty()) tls_->end();
    writing_.swap(tls_->outgoing());
}

void Stream::give_up_tls(const Error& error) {
    end_of_input();
    // The alert tells the other side why; it is sent if the socket takes it at once.
    if (written_ == writing_.size() && !tls_->outgoing().empty()) {
        writing_ = std::exchange(tls_->outgoing(), {});
        written_ = 0;
        send_some();
    }
    fail(error.text);
}

}  // namespace jobq
