#include "daemon/loop/fd_watch.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

namespace jobq {

struct FdWatch::Impl {
    uv_poll_t poll;
    UvReactor* reactor = nullptr;
    std::function<void()> on_readable;
    bool planned = false, closed = false;
};

FdWatch::FdWatch(UvReactor& reactor, int fd, std::function<void()> on_readable) : impl_(new Impl) {
    impl_->reactor = &reactor;
    impl_->on_readable = std::move(on_readable);
    JOBQ_CHECK(uv_poll_init(reactor.loop(), &impl_->poll, fd) == 0);
    impl_->poll.data = impl_;
    uv_poll_start(&impl_->poll, UV_READABLE, [](uv_poll_t* poll, int, int) {
        auto* impl = static_cast<Impl*>(poll->data);
        if (impl->planned) return;
        impl->planned = true;
        impl->reactor->defer([impl] {
            impl->planned = false;
            if (impl->closed) {
                delete impl;
                return;
            }
            if (!impl->on_readable) return;  // its owner went meanwhile
            auto call = impl->on_readable;   // may destroy the watch
            call();
        });
    });
}

// A call that is planned by now finds nothing to call.
FdWatch::~FdWatch() {
    impl_->on_readable = nullptr;
    uv_poll_stop(&impl_->poll);
    uv_close(reinterpret_cast<uv_handle_t*>(&impl_->poll), [](uv_handle_t* handle) {
        auto* impl = static_cast<Impl*>(handle->data);
        impl->closed = true;
        if (!impl->planned) delete impl;
    });
}

Result<std::unique_ptr<PidWatch>> PidWatch::watch(UvReactor& reactor, int64_t pid,
                                                  std::function<void()> on_end) {
    // O_CLOEXEC is a pidfd's default.
    long fd = syscall(SYS_pidfd_open, pid_t(pid), 0);
    if (fd < 0)
        return fail(errno == ESRCH ? ErrorCode::not_found : ErrorCode::unavailable,
                    "can't watch process " + std::to_string(pid) + ": " + std::strerror(errno));
    std::unique_ptr<PidWatch> watch(new PidWatch);
    watch->fd_ = int(fd);
    auto once = [self = watch.get(), on_end = std::move(on_end)] {
        self->watch_.reset();
        // It may be our own child: started by the program this process ran before an exec.
        siginfo_t info{};
        ::waitid(P_PIDFD, id_t(self->fd_), &info, WEXITED | WNOHANG);
        auto call = on_end;
        call();
    };
    watch->watch_ = std::make_unique<FdWatch>(reactor, watch->fd_, std::move(once));
    return watch;
}

PidWatch::~PidWatch() {
    watch_.reset();
    if (fd_ >= 0) ::close(fd_);
}

}  // namespace jobq
