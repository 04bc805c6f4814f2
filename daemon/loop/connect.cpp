// Stream::connect: name resolution on libuv's threads, then a non-blocking connect to each address
// in turn. Must stay true: every wait ends at the caller's limit, no descriptor is left behind.
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/base/limits.h"
#include "core/base/own_dir.h"
#include "daemon/loop/stream.h"

namespace jobq {
namespace {

constexpr int64_t kBacklogRetryMs = 2;  // connect() to a Unix socket with a full backlog is EAGAIN
constexpr int kTimedOut = ETIMEDOUT;

struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
};

struct Resolved {
    int status = 0;  // 0, or libuv's error
    std::vector<Address> addresses;
};

// Frees itself in libuv's callback, which comes even after a cancel.
struct ResolveRequest {
    uv_getaddrinfo_t request;
    Slot<Resolved> slot;

    static void done(uv_getaddrinfo_t* request, int status, addrinfo* found) {
        std::unique_ptr<ResolveRequest> self(static_cast<ResolveRequest*>(request->data));
        Resolved result;
        result.status = status;
        for (addrinfo* at = found; status == 0 && at != nullptr; at = at->ai_next) {
            Address address;
            std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
            address.size = at->ai_addrlen;
            result.addresses.push_back(address);
        }
        if (found) uv_freeaddrinfo(found);
        self->slot.set(std::move(result));
    }
};

task<Resolved> resolve(UvReactor& reactor, Endpoint endpoint, int64_t limit_ms) {
    Slot<Resolved> slot(reactor);
    auto* request = new ResolveRequest{{}, slot};
    request->request.data = request;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    std::string port = std::to_string(endpoint.port);
    int status = uv_getaddrinfo(reactor.loop(), &request->request, &ResolveRequest::done,
                                endpoint.host.c_str(), port.c_str(), &hints);
    if (status != 0) {
        delete request;
        Resolved failed;
        failed.status = status;
        co_return failed;
    }
    auto give_up = [slot] {
        Resolved late;
        late.status = UV_ETIMEDOUT;
        slot.set(std::move(late));
    };
    TimerId timer = reactor.after(limit_ms, give_up);
    Resolved result = co_await slot;
    reactor.cancel(timer);
    co_return result;
}

// Waits for a connect in progress; the socket stays the caller's.
struct ConnectWait {
    uv_poll_t poll;
    Slot<int> slot;

    static void polled(uv_poll_t* handle, int, int) {
        auto* self = static_cast<ConnectWait*>(handle->data);
        uv_poll_stop(handle);
        self->slot.set(0);
    }

    static void closed(uv_handle_t* handle) { delete static_cast<ConnectWait*>(handle->data); }
};

task<int> wait_connected(UvReactor& reactor, int fd, int64_t limit_ms) {
    Slot<int> slot(reactor);
    auto* wait = new ConnectWait{{}, slot};
    wait->poll.data = wait;
    if (uv_poll_init(reactor.loop(), &wait->poll, fd) != 0) {
        delete wait;
        co_return EIO;
    }
    uv_poll_start(&wait->poll, UV_WRITABLE, &ConnectWait::polled);
    auto give_up = [slot] { slot.set(kTimedOut); };
    TimerId timer = reactor.after(limit_ms, give_up);
    int error = co_await slot;
    reactor.cancel(timer);
    uv_close(reinterpret_cast<uv_handle_t*>(&wait->poll), &ConnectWait::closed);
    socklen_t size = sizeof error;
    if (error == 0) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    co_return error;
}

struct Connected {
    int fd = -1;
    int error = 0;
};

task<Connected> connect_to(UvReactor& reactor, Address address, int64_t limit_ms) {
    Connected result;
    int64_t until = reactor.now_ms() + limit_ms;
    int family = address.bytes.ss_family;
    int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    result.error = fd < 0 ? errno : 0;
    if (fd < 0) co_return result;
    while (true) {
        int status = ::connect(fd, reinterpret_cast<sockaddr*>(&address.bytes), address.size);
        result.error = status == 0 ? 0 : errno;
        if (result.error != EAGAIN && result.error != EINTR) break;
        if (reactor.now_ms() >= until) {
            result.error = kTimedOut;
            break;
        }
        sleep_for pause(reactor, kBacklogRetryMs);
        co_await pause;
    }
    int64_t left = std::max<int64_t>(1, until - reactor.now_ms());
    if (result.error == EINPROGRESS || result.error == EALREADY)
        result.error = co_await wait_connected(reactor, fd, left);
    if (result.error == 0) {
        result.fd = fd;
    } else {
        ::close(fd);
    }
    co_return result;
}

Error connect_error(const Endpoint& endpoint, int error, int64_t limit_ms) {
    if (error == kTimedOut)
        return Error{ErrorCode::timeout, "no connection to " + endpoint.text() + " within " +
                                             std::to_string(limit_ms) + " ms"};
    return Error{ErrorCode::unavailable,
                 "can't connect to " + endpoint.text() + ": " + std::strerror(error)};
}

// The kernel knows who called listen(): the name of a socket proves nothing.
Result<> check_peer(const Endpoint& endpoint, const Stream& stream) {
    if (!endpoint.own || !stream.is_unix()) return {};
    const int64_t uid = stream.peer().uid;
    if (is_own_uid(uid)) return {};
    return jobq::fail(ErrorCode::forbidden, endpoint.text() + " is a socket of user id " +
                                                std::to_string(uid) + ", not of this user");
}

}  // namespace

task<Result<std::unique_ptr<Stream>>> Stream::connect(UvReactor& reactor, Endpoint endpoint,
                                                      int64_t limit_ms) {
    int64_t until = reactor.now_ms() + limit_ms;
    Resolved found;
    bool is_unix = !endpoint.unix_path.empty();
    if (is_unix) {
        if (endpoint.unix_path.size() > limits::kUnixPathBytes)
            co_return jobq::fail(ErrorCode::invalid,
                                 "the socket path " + endpoint.unix_path + " is too long");
        Address address;
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, endpoint.unix_path.data(), endpoint.unix_path.size());
        std::memcpy(&address.bytes, &name, sizeof name);
        address.size = sizeof name;
        found.addresses.push_back(address);
    } else {
        found = co_await resolve(reactor, endpoint, limit_ms);
    }
    if (found.status == UV_ETIMEDOUT)
        co_return tl::unexpected<Error>(connect_error(endpoint, kTimedOut, limit_ms));
    if (found.status != 0)
        co_return jobq::fail(ErrorCode::unavailable, "can't find the host " + endpoint.host + ": " +
                                                         uv_strerror(found.status));
    int error = ECONNREFUSED;
    for (size_t at = 0; at < found.addresses.size(); ++at) {
        // An address that answers nothing leaves time for the others.
        int64_t left = until - reactor.now_ms();
        int64_t share = left / int64_t(found.addresses.size() - at);
        if (left <= 0) {
            error = kTimedOut;
            break;
        }
        Address address = found.addresses[at];
        Connected done = co_await connect_to(reactor, address, std::max<int64_t>(1, share));
        if (done.fd >= 0) {
            auto stream = std::make_unique<Stream>(reactor, done.fd, is_unix);
            auto known = check_peer(endpoint, *stream);
            if (!known) co_return tl::unexpected<Error>(known.error());
            co_return stream;
        }
        error = done.error;
    }
    co_return tl::unexpected<Error>(connect_error(endpoint, error, limit_ms));
}

}  // namespace jobq
