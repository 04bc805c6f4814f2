#include "cli/link/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/base/interrupt.h"

namespace jobq::cli {
namespace {

constexpr size_t kStepBytes = 64 << 10;  // encrypted at once
constexpr size_t kReadBytes = 256 << 10;

char* read_space() {
    static char space[kReadBytes];
    return space;
}

// The authorities are read once, however many connections there are: the system's take long.
Result<std::shared_ptr<const TlsContext>> context_for(const std::string& ca_file) {
    static std::string of;
    static std::shared_ptr<const TlsContext> context;
    if (context && of == ca_file) return context;
    auto made = TlsContext::for_client(ca_file);
    if (!made) return made;
    of = ca_file;
    context = *made;
    return made;
}

}  // namespace

Wire::Wire(Wire&& other) noexcept {
    *this = std::move(other);
}

Wire& Wire::operator=(Wire&& other) noexcept {
    if (this == &other) return *this;
    close();
    fd_ = std::exchange(other.fd_, -1);
    tls_ = std::move(other.tls_);
    trouble_ = std::move(other.trouble_);
    return *this;
}

Wire::~Wire() {
    close();
}

void Wire::close() {
    if (fd_ < 0) return;
    if (tls_ && tls_->outgoing().empty()) {
        tls_->end();
        flush();
    }
    ::close(fd_);
    fd_ = -1;
}

Result<> Wire::start_tls(const std::string& host, const std::string& ca_file, int64_t deadline_ms,
                         std::string& into) {
    auto context = context_for(ca_file);
    if (!context) return tl::unexpected(context.error());
    auto engine = TlsEngine::client(*context, host);
    if (!engine) return tl::unexpected(engine.error());
    tls_ = std::move(*engine);
    while (!tls_->ready()) {
        if (!flush()) return fail(ErrorCode::unavailable, reason(errno));
        pollfd waiting{fd_, short(held_bytes() > 0 ? POLLIN | POLLOUT : POLLIN), 0};
        if (!poll_until(&waiting, 1, deadline_ms)) {
            if (interrupted()) return fail(ErrorCode::cancelled, "interrupted");
            return fail(ErrorCode::timeout, "no TLS handshake in time");
        }
        if ((waiting.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        const ssize_t got = ::recv(fd_, read_space(), kReadBytes, 0);
        if (got == 0) return fail(ErrorCode::unavailable, "closed during the TLS handshake");
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return fail(ErrorCode::unavailable, reason(errno));
        if (got < 0) continue;
        auto taken = tls_->take({read_space(), size_t(got)}, into);
        if (taken) continue;
        flush();  // the alert
        return taken;
    }
    if (!flush()) return fail(ErrorCode::unavailable, reason(errno));
    return {};
}

bool Wire::flush() {
    if (!tls_) return true;
    std::string& out = tls_->outgoing();
    size_t done = 0;
    bool fine = true;
    while (done < out.size() && fine) {
        const ssize_t sent = ::send(fd_, out.data() + done, out.size() - done, MSG_NOSIGNAL);
        if (sent >= 0) {
            done += size_t(sent);
        } else if (errno != EINTR) {
            fine = errno == EAGAIN;
            break;
        }
    }
    out.erase(0, done);
    return fine;
}

ssize_t Wire::send(std::string_view bytes) {
    if (!tls_) return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (!flush()) return -1;
    if (held_bytes() > 0) {
        errno = EAGAIN;
        return -1;
    }
    bytes = bytes.substr(0, kStepBytes);
    auto sent = tls_->send(bytes);
    if (!sent) {
        trouble_ = sent.error().text;
        errno = EPROTO;
        return -1;
    }
    return flush() ? ssize_t(bytes.size()) : -1;
}

ssize_t Wire::read(std::string& into, size_t most) {
    if (tls_) return read_tls(into, most);
    const ssize_t got = ::recv(fd_, read_space(), std::min(most, kReadBytes), 0);
    if (got > 0) into.append(read_space(), size_t(got));
    return got;
}

ssize_t Wire::read_tls(std::string& into, size_t most) {
    const size_t before = into.size();
    while (!tls_->ended()) {
        const ssize_t got = ::recv(fd_, read_space(), std::min(most, kReadBytes), 0);
        if (got <= 0) return got;
        auto taken = tls_->take({read_space(), size_t(got)}, into);
        flush();
        if (into.size() > before) return ssize_t(into.size() - before);
        if (taken) continue;
        trouble_ = taken.error().text;
        errno = EPROTO;
        return -1;
    }
    return 0;
}

std::string Wire::reason(int code) const {
    return code == EPROTO && !trouble_.empty() ? trouble_ : std::strerror(code);
}

}  // namespace jobq::cli
