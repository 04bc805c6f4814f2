// Listener on uv_poll: accepts what waits, bounded per turn, and hands it over from the loop's
// turn. Must stay true: out of descriptors means refused connections, never a loop that spins on
// accept.
#include "daemon/loop/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/base/limits.h"
#include "daemon/loop/bind.h"

namespace jobq {

struct Listener::Impl {
    UvReactor* reactor = nullptr;
    uv_poll_t poll;
    int fd = -1;
    int reserve_fd = -1;  // given up for a moment to accept and close what can't be served
    bool is_unix = false;
    bool closed = false;
    bool told = false;  // of the present bout of refusals
    bool own_path = false;
    int pins = 2;  // the listener and the open handle; and each deferred call
    dev_t device = 0;
    ino_t inode = 0;
    TimerId pause_timer = 0;
    OnConnect on_connect;
    std::function<void(std::string)> on_trouble;
    std::vector<int> accepted;

    void unpin() {
        if (--pins == 0) delete this;
    }

    static void polled(uv_poll_t* handle, int, int) {
        static_cast<Impl*>(handle->data)->accept_waiting();
    }

    void start() { uv_poll_start(&poll, UV_READABLE, &Impl::polled); }

    int accept_one() const {
        while (true) {
            int got = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            // A connection that is gone again before we took it is not our trouble.
            if (got >= 0 || (errno != EINTR && errno != ECONNABORTED)) return got;
        }
    }

    void accept_waiting() {
        bool planned = !accepted.empty();
        for (int n = 0; n < limits::kAcceptsPerTurn; ++n) {
            int got = accept_one();
            if (got >= 0) {
                accepted.push_back(got);
                told = false;
                continue;
            }
            if (errno != EAGAIN && errno != EWOULDBLOCK) refuse_one(errno);
            break;
        }
        if (planned || accepted.empty()) return;
        ++pins;
        reactor->defer([this] {
            hand_over();
            unpin();
        });
    }

    void hand_over() {
        std::vector<int> sockets;
        sockets.swap(accepted);
        for (int got : sockets) {
            if (closed) {
                ::close(got);
            } else {
                on_connect(std::make_unique<Stream>(*reactor, got, is_unix));
            }
        }
    }

    void refuse_one(int error) {
        if (!told) {
            told = true;
            std::string text = std::string("can't accept connections: ") + std::strerror(error) +
                               "; new connections are closed until descriptors are free; raise "
                               "LimitNOFILE (ulimit -n) or close idle clients";
            if (on_trouble) {
                on_trouble(text);
            } else {
                std::fprintf(stderr, "%s\n", text.c_str());
            }
        }
        bool refused = false;
        if ((error == EMFILE || error == ENFILE) && reserve_fd >= 0) {
            ::close(reserve_fd);
            int got = accept_one();
            refused = got >= 0;
            if (got >= 0) ::close(got);
            reserve_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        if (refused || closed) return;
        uv_poll_stop(&poll);
        pause_timer = reactor->after(limits::kAcceptPauseMs, [this] {
            pause_timer = 0;
            start();
        });
    }

    void close(const Endpoint& endpoint) {
        if (closed) return;
        closed = true;
        reactor->cancel(pause_timer);
        uv_close(reinterpret_cast<uv_handle_t*>(&poll),
                 [](uv_handle_t* handle) { static_cast<Impl*>(handle->data)->unpin(); });

        // Someone else's socket may stand at our path by now.
        struct stat now {};

        if (own_path && ::lstat(endpoint.unix_path.c_str(), &now) == 0 && now.st_dev == device &&
            now.st_ino == inode)
            ::unlink(endpoint.unix_path.c_str());
        ::close(fd);
        if (reserve_fd >= 0) ::close(reserve_fd);
        for (int got : accepted)
            ::close(got);
        accepted.clear();
    }
};

Result<std::unique_ptr<Listener>> Listener::start(UvReactor& reactor, int fd, Endpoint endpoint,
                                                  bool own_path, OnConnect on_connect) {
    std::unique_ptr<Listener> listener(new Listener);
    auto impl = std::make_unique<Impl>();
    int status = uv_poll_init(reactor.loop(), &impl->poll, fd);
    if (status != 0) {
        ::close(fd);
        return fail(ErrorCode::internal,
                    "can't watch the socket " + endpoint.text() + ": " + uv_strerror(status));
    }
    impl->poll.data = impl.get();
    impl->reactor = &reactor;
    impl->fd = fd;
    impl->is_unix = !endpoint.unix_path.empty();
    impl->own_path = own_path;
    impl->on_connect = std::move(on_connect);
    impl->reserve_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);

    struct stat file {};

    if (own_path && ::lstat(endpoint.unix_path.c_str(), &file) == 0) {
        impl->device = file.st_dev;
        impl->inode = file.st_ino;
    }
    impl->start();
    listener->endpoint_ = std::move(endpoint);
    listener->impl_ = impl.release();
    return listener;
}

Result<std::unique_ptr<Listener>> Listener::listen(UvReactor& reactor, Endpoint endpoint,
                                                   OnConnect on_connect) {
    bool is_unix = !endpoint.unix_path.empty();
    auto fd = is_unix ? bind_unix(endpoint.unix_path) : bind_tcp(endpoint);
    if (!fd) return tl::unexpected<Error>(fd.error());
    return start(reactor, *fd, std::move(endpoint), is_unix, std::move(on_connect));
}

Result<std::unique_ptr<Listener>> Listener::adopt(UvReactor& reactor, int fd,
                                                  OnConnect on_connect) {
    auto endpoint = bound_endpoint(fd);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return start(reactor, fd, std::move(*endpoint), false, std::move(on_connect));
}

Listener::~Listener() {
    close();
    impl_->unpin();
}

void Listener::on_trouble(std::function<void(std::string)> fn) {
    impl_->on_trouble = std::move(fn);
}

void Listener::close() {
    impl_->close(endpoint_);
}

}  // namespace jobq
