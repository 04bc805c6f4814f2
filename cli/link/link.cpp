#include "cli/link/link.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/base/interrupt.h"
#include "core/base/own_dir.h"

namespace jobq::cli {
namespace {

constexpr size_t kReplyBytes = 64 << 20;  // one bulk reply: a full page of `list` is below 52 MiB
constexpr size_t kReadBytes = 256 << 10;

std::string system_reason(int code) {
    return std::strerror(code);
}

// Waits for a connect() in progress; 0 or the errno it ended with.
int finish_connect(int fd, int64_t deadline_ms) {
    pollfd waiting{fd, POLLOUT, 0};
    if (!poll_until(&waiting, 1, deadline_ms)) return ETIMEDOUT;
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) return errno;
    return code;
}

// 0 or errno. A Unix socket whose backlog is full answers EAGAIN at once: try until the deadline.
int connect_within(int fd, const sockaddr* address, socklen_t size, int64_t deadline_ms) {
    constexpr int64_t kPauseMs = 5;
    while (true) {
        if (::connect(fd, address, size) == 0) return 0;
        if (errno == EINPROGRESS) return finish_connect(fd, deadline_ms);
        if (errno != EAGAIN && errno != EINTR) return errno;
        if (monotonic_ms() + kPauseMs >= deadline_ms) return ETIMEDOUT;
        sleep_until(monotonic_ms() + kPauseMs);
    }
}

// A name proves nothing of who listens; the kernel knows.
Result<> check_peer(int fd) {
    ucred who{};
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return fail(ErrorCode::unavailable, system_reason(errno));
    if (is_own_uid(who.uid)) return {};
    return fail(ErrorCode::unavailable, "the socket belongs to user id " + std::to_string(who.uid) +
                                            "; to use it anyway, name it with --server");
}

Result<int> open_unix(const Address& address, int64_t deadline_ms) {
    const std::string& path = address.endpoint.unix_path;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());  // parse_address() checked the length
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(ErrorCode::unavailable, system_reason(errno));
    const int code =
        connect_within(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name, deadline_ms);
    auto known = code == 0 && address.endpoint.own ? check_peer(fd) : Result<>();
    if (code == 0 && known) return fd;
    ::close(fd);
    if (!known) return tl::unexpected(known.error());
    if (code == EACCES || code == EPERM)
        return fail(ErrorCode::forbidden,
                    address.endpoint.text() +
                        " can't be used by this user: " + system_reason(code) +
                        "; ask for write access to the socket, for example "
                        "by its group");
    return fail(ErrorCode::unavailable, system_reason(code));
}

Result<int> open_tcp(const Address& address, int64_t deadline_ms) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.endpoint.port);
    int code = getaddrinfo(address.endpoint.host.c_str(), port.c_str(), &hints, &found);
    if (code != 0) {
        // A machine with no address but loopback: numbers still work.
        hints.ai_flags = AI_NUMERICHOST;
        if (getaddrinfo(address.endpoint.host.c_str(), port.c_str(), &hints, &found) != 0)
            return fail(ErrorCode::unavailable, gai_strerror(code));
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
    std::string why = "the host name has no address";
    for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next) {
        const int fd =
            ::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, one->ai_protocol);
        if (fd < 0) continue;
        code = connect_within(fd, one->ai_addr, one->ai_addrlen, deadline_ms);
        if (code == 0) {
            const int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
            return fd;
        }
        why = system_reason(code);
        ::close(fd);
    }
    return fail(ErrorCode::unavailable, why);
}

}  // namespace

Link::Link(Link&& other) noexcept {
    *this = std::move(other);
}

Link& Link::operator=(Link&& other) noexcept {
    if (this == &other) return *this;
    wire_ = std::move(other.wire_);
    out_ = std::move(other.out_);
    written_ = std::exchange(other.written_, 0);
    in_ = std::move(other.in_);
    taken_ = std::exchange(other.taken_, 0);
    return *this;
}

Result<Link> Link::open(const Address& address, int64_t deadline_ms) {
    auto fd = address.endpoint.is_unix() ? open_unix(address, deadline_ms)
                                         : open_tcp(address, deadline_ms);
    if (!fd) return tl::unexpected(fd.error());
    Link link(*fd);
    if (!address.endpoint.tls) return link;
    auto secured =
        link.wire_.start_tls(address.endpoint.host, address.ca_file, deadline_ms, link.in_);
    if (secured) return link;
    Error error = std::move(secured.error());
    if (error.code == ErrorCode::unauthorized) error.text.insert(0, address.endpoint.text() + ": ");
    return tl::unexpected(std::move(error));
}

tl::unexpected<Error> Link::broken(std::string why) {
    close();
    return fail(ErrorCode::unknown, "the connection to jobqd was lost (" + std::move(why) + ")");
}

void Link::write_some() {
    wire_.flush();
    while (written_ < out_.size()) {
        const ssize_t sent = wire_.send(std::string_view(out_).substr(written_));
        if (sent < 0) {
            if (errno == EAGAIN || errno == EINTR) break;
            // The daemon closed: what it said before is still to be read, the end comes with it.
            out_.clear();
            written_ = 0;
            return;
        }
        written_ += size_t(sent);
    }
    if (written_ == out_.size()) {
        out_.clear();
        written_ = 0;
    } else if (written_ > (1 << 20)) {
        out_.erase(0, written_);
        written_ = 0;
    }
}

Result<> Link::read_some() {
    if (taken_ > 0) {
        in_.erase(0, taken_);
        taken_ = 0;
    }
    const ssize_t got = wire_.read(in_, kReadBytes);
    const int code = errno;
    if (got == 0) return broken("closed by the daemon");
    if (got < 0 && code != EAGAIN && code != EINTR) return broken(wire_.reason(code));
    return {};
}

Result<Link::Pumped> Link::pump(int64_t deadline_ms, int extra_fd) {
    if (!is_open()) return fail(ErrorCode::unknown, "the connection to jobqd is closed");
    write_some();
    pollfd waiting[2] = {{wire_.fd(), POLLIN, 0}, {extra_fd, POLLIN, 0}};
    if (queued_bytes() > 0) waiting[0].events |= POLLOUT;
    if (!poll_until(waiting, 2, deadline_ms)) {
        if (interrupted()) return fail(ErrorCode::cancelled, "interrupted");
        return Pumped{};
    }
    if ((waiting[0].revents & POLLOUT) != 0) write_some();
    if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        const auto got = read_some();
        if (!got) return tl::unexpected(got.error());
    }
    return Pumped{true, waiting[1].revents != 0};
}

Result<std::optional<DaemonReply>> Link::take_reply() {
    auto reply = jobq::read_reply(std::string_view(in_).substr(taken_), kReplyBytes);
    if (!reply) return broken(reply.error().text);
    if (!*reply) return std::nullopt;
    taken_ += (*reply)->bytes;
    return DaemonReply{(*reply)->kind, std::string((*reply)->text)};
}

Result<DaemonReply> Link::read_reply(int64_t deadline_ms) {
    while (true) {
        auto reply = take_reply();
        if (!reply) return tl::unexpected(reply.error());
        if (*reply) return std::move(**reply);
        const auto moved = pump(deadline_ms);
        if (!moved) return tl::unexpected(moved.error());
        if (!moved->any) return fail(ErrorCode::timeout, "jobqd did not answer in time");
    }
}

}  // namespace jobq::cli
