// bind_unix and bind_tcp: the error texts here are what a person reads when jobqd does not start.
// Must stay true: the socket file is never reachable with a wider mode than 0660, not for an
// instant, and a live server's socket is never taken away.
#include "daemon/loop/bind.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/limits.h"

namespace jobq {
namespace {

// Group may connect, the world may not; set as umask, since a chmod after bind leaves a gap.
constexpr mode_t kSocketUmask = 0117;

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), path.size());
    return name;
}

std::string because(const std::string& what, int error) {
    return what + ": " + std::strerror(error);
}

// True when a server answers at the path.
bool is_live(const std::string& path) {
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return true;  // can't tell: leave it alone
    auto name = unix_address(path);
    int status = ::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name);
    // A full backlog (EAGAIN) is a sign of life, too.
    bool dead = status != 0 && (errno == ECONNREFUSED || errno == ENOENT);
    ::close(fd);
    return !dead;
}

Result<> clear_path(const std::string& path) {
    struct stat file {};

    if (::lstat(path.c_str(), &file) != 0) return {};
    if (!S_ISSOCK(file.st_mode))
        return fail(ErrorCode::conflict,
                    path + " exists and is not a socket; remove it, or listen elsewhere");
    if (is_live(path))
        return fail(ErrorCode::conflict,
                    "another server listens on " + path + "; stop it, or listen elsewhere");
    if (file.st_uid != ::geteuid() && ::geteuid() != 0)
        return fail(ErrorCode::conflict, path + " is a stale socket of user id " +
                                             std::to_string(file.st_uid) +
                                             "; let its owner remove it, or listen elsewhere");
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return fail(ErrorCode::conflict, because("can't remove the stale socket " + path, errno));
    return {};
}

ErrorCode bind_code(int error) {
    if (error == EADDRINUSE) return ErrorCode::conflict;
    if (error == EACCES || error == EPERM) return ErrorCode::forbidden;
    if (error == ENOENT || error == ENOTDIR || error == EADDRNOTAVAIL) return ErrorCode::not_found;
    return ErrorCode::internal;
}

Result<int> listen_on(int family, const sockaddr* address, socklen_t size) {
    int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(bind_code(errno), std::strerror(errno));
    int on = 1;
    if (family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // "[::]" and "0.0.0.0" are two things; one must not take the other's port.
    if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(fd, address, size) == 0 && ::listen(fd, limits::kListenBacklog) == 0) return fd;
    int error = errno;
    ::close(fd);
    return fail(bind_code(error), std::strerror(error));
}

}  // namespace

Result<int> bind_unix(const std::string& path) {
    if (path.size() > limits::kUnixPathBytes)
        return fail(ErrorCode::invalid, "the socket path " + path + " has " +
                                            std::to_string(path.size()) + " bytes; the limit is " +
                                            std::to_string(limits::kUnixPathBytes));
    auto cleared = clear_path(path);
    if (!cleared) return tl::unexpected<Error>(cleared.error());
    auto name = unix_address(path);
    mode_t before = ::umask(kSocketUmask);
    auto fd = listen_on(AF_UNIX, reinterpret_cast<sockaddr*>(&name), sizeof name);
    ::umask(before);
    if (!fd) return fail(fd.error().code, "can't listen on " + path + ": " + fd.error().text);
    return fd;
}

Result<int> bind_tcp(Endpoint& endpoint) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
    addrinfo* found = nullptr;
    std::string port = std::to_string(endpoint.port);
    int status = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
    if (status != 0)
        return fail(ErrorCode::not_found,
                    "can't listen on " + endpoint.text() + ": " + ::gai_strerror(status));
    Result<int> fd = listen_on(found->ai_family, found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
    if (!fd)
        return fail(
            fd.error().code,
            "can't listen on " + endpoint.text() + ": " + fd.error().text +
                "; stop the program that uses it, or use another port (0 picks a free one)");
    auto bound = bound_endpoint(*fd);
    if (bound) endpoint.port = bound->port;
    return fd;
}

Result<Endpoint> bound_endpoint(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        return fail(ErrorCode::invalid,
                    "descriptor " + std::to_string(fd) + " is not a listening socket");
    Endpoint endpoint;
    if (address.ss_family == AF_UNIX) {
        sockaddr_un name{};
        std::memcpy(&name, &address, sizeof name);
        size_t most = size_t(length) - offsetof(sockaddr_un, sun_path);
        endpoint.unix_path = std::string(name.sun_path, ::strnlen(name.sun_path, most));
        // An unnamed or abstract one still is a Unix socket.
        if (endpoint.unix_path.empty()) endpoint.unix_path = "@";
        return endpoint;
    }
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int status = ::getnameinfo(reinterpret_cast<sockaddr*>(&address), length, host, sizeof host,
                               port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    if (status != 0)
        return fail(ErrorCode::invalid,
                    "descriptor " + std::to_string(fd) + ": " + ::gai_strerror(status));
    endpoint.host = host;
    endpoint.port = std::atoi(port);
    return endpoint;
}

std::string peer_address_of(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (fd < 0 || ::getpeername(fd, raw, &size) != 0) return "";
    return address_text(raw, size);
}

std::string address_text(const sockaddr* raw, socklen_t size) {
    char host[NI_MAXHOST], port[NI_MAXSERV];
    constexpr int kNumbers = NI_NUMERICHOST | NI_NUMERICSERV;
    if (::getnameinfo(raw, size, host, sizeof host, port, sizeof port, kNumbers) != 0) return "";
    return std::string(host) + ":" + port;
}

}  // namespace jobq
