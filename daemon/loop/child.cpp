// Child on pidfd and uv_poll: the kernel says on the loop when the process is over, it is reaped
// there and then, and on_end follows from the loop's turn.
// Must stay true: no signal is sent after the reaping, since the number may be someone else's then.
#include "daemon/loop/child.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>

#include "daemon/loop/child_image.h"
#include "daemon/loop/orphans.h"

namespace jobq {

struct Child::Impl {
    UvReactor* reactor = nullptr;
    uv_poll_t poll{};
    int pid = -1;
    int pidfd = -1;
    bool own_group = false;
    bool ended = false;
    bool abandoned = false;  // the Child is gone: nobody is to be told
    std::function<void(ChildEnd)> on_end;
    std::shared_ptr<Impl> self;  // held while libuv has the handle

    static void polled(uv_poll_t* handle, int, int) { static_cast<Impl*>(handle->data)->reap(); }

    void reap() {
        siginfo_t info{};
        ChildEnd end;
        // The system call, for glibc's waitid() has no rusage.
        long status = syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG, &end.usage);
        if (status < 0 && errno == EINTR) return;
        if (status == 0 && info.si_pid == 0) return;
        if (status == 0 && info.si_code == CLD_EXITED) {
            end.exit_code = info.si_status;
        } else if (status == 0) {
            end.signal = info.si_status;
        }
        ended = true;
        forget_child(pid);
        close_handle();
        reactor->defer([impl = self, end] {
            if (!impl->abandoned && impl->on_end) impl->on_end(end);
        });
    }

    void close_handle() {
        uv_poll_stop(&poll);
        uv_close(reinterpret_cast<uv_handle_t*>(&poll), [](uv_handle_t* handle) {
            Impl& impl = *static_cast<Impl*>(handle->data);
            ::close(impl.pidfd);
            auto last = std::move(impl.self);
        });
    }
};

Result<std::unique_ptr<Child>> Child::spawn(UvReactor& reactor, const SpawnPlan& plan,
                                            std::function<void(ChildEnd)> on_end) {
    auto started = start_child(plan);
    if (!started) return tl::unexpected<Error>(started.error());
    auto impl = std::make_shared<Impl>();
    impl->reactor = &reactor;
    impl->pid = started->pid;
    impl->pidfd = started->pidfd;
    impl->own_group = plan.new_session;
    impl->on_end = std::move(on_end);
    impl->poll.data = impl.get();
    JOBQ_CHECK(uv_poll_init(reactor.loop(), &impl->poll, impl->pidfd) == 0);
    JOBQ_CHECK(uv_poll_start(&impl->poll, UV_READABLE, &Impl::polled) == 0);
    impl->self = impl;
    know_child(impl->pid);
    std::unique_ptr<Child> child(new Child);
    child->impl_ = std::move(impl);
    return child;
}

Child::~Child() {
    if (!impl_) return;
    impl_->abandoned = true;
    if (impl_->ended) return;
    leave_child(impl_->pid);
    impl_->close_handle();
}

int Child::pid() const {
    return impl_->pid;
}

bool Child::ended() const {
    return impl_->ended;
}

void Child::signal(int number) {
    if (!impl_->ended) syscall(SYS_pidfd_send_signal, impl_->pidfd, number, nullptr, 0);
}

void Child::signal_group(int number) {
    if (impl_->ended) return;
    if (impl_->own_group) {
        // Not reaped: the number is still ours.
        kill(-impl_->pid, number);
    } else {
        signal(number);
    }
}

}  // namespace jobq
