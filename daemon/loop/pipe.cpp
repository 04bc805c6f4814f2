// Pipes on uv_poll; see pipe.h. The handles keep their own state alive until libuv lets go of it.
// Must stay true: a descriptor is closed once, after libuv has let go of its number.
#include "daemon/loop/pipe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

namespace jobq {
namespace {

constexpr size_t kPipeBytes = 64 << 10;  // what a pipe holds
constexpr int kReadsPerWake = 4;         // then the others have their turn
constexpr int kReadsPerDrain = 16;

void set_nonblocking(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// A uv_poll handle and its descriptor, closed together.
template <class Owner>
struct Handle {
    uv_poll_t poll{};
    int fd = -1;
    bool open = false;
    std::shared_ptr<Owner> self;

    void close() {
        if (!open) return;
        open = false;
        uv_poll_stop(&poll);
        // The other side learns of it now, not a turn later; libuv forgot the number just before.
        ::close(fd);
        uv_close(reinterpret_cast<uv_handle_t*>(&poll), [](uv_handle_t* handle) {
            auto last = std::move(static_cast<Owner*>(handle->data)->handle.self);
        });
    }

    void init(UvReactor& reactor, int descriptor, std::shared_ptr<Owner> owner) {
        fd = descriptor;
        poll.data = owner.get();
        JOBQ_CHECK(uv_poll_init(reactor.loop(), &poll, fd) == 0);
        self = std::move(owner);
        open = true;
    }
};

}  // namespace

Result<PipeEnds> make_pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return fail(ErrorCode::busy, std::string("can't create a pipe: ") + std::strerror(errno));
    return PipeEnds{fds[0], fds[1]};
}

void close_fd(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
}

struct PipeReader::Impl {
    Handle<Impl> handle;
    UvReactor* reactor = nullptr;
    std::function<void(std::string_view)> on_data;
    std::function<void()> on_end;
    bool ended = false, abandoned = false, paused = false;

    // False when there was nothing more for now.
    bool read_once() {
        static std::array<char, kPipeBytes> space;
        ssize_t got = ::read(handle.fd, space.data(), space.size());
        if (got > 0) {
            on_data(std::string_view(space.data(), size_t(got)));
            return size_t(got) == space.size();
        }
        if (got < 0 && errno == EINTR) return true;
        if (got < 0 && errno == EAGAIN) return false;
        end();
        return false;
    }

    // `drains`: also what a pause would leave.
    void read_some(int times, bool drains) {
        while (times-- > 0 && !ended && (drains || !paused) && read_once()) {
        }
    }

    void poll() {
        uv_poll_start(&handle.poll, UV_READABLE, [](uv_poll_t* polled, int, int) {
            static_cast<Impl*>(polled->data)->read_some(kReadsPerWake, false);
        });
    }

    void end() {
        ended = true;
        auto keep = handle.self;
        handle.close();
        reactor->defer([keep] {
            if (!keep->abandoned && keep->on_end) keep->on_end();
        });
    }
};

PipeReader::PipeReader(UvReactor& reactor, int fd, std::function<void(std::string_view)> on_data,
                       std::function<void()> on_end)
    : impl_(std::make_shared<Impl>()) {
    set_nonblocking(fd);
    impl_->reactor = &reactor;
    impl_->on_data = std::move(on_data);
    impl_->on_end = std::move(on_end);
    impl_->handle.init(reactor, fd, impl_);
    impl_->poll();
}

PipeReader::~PipeReader() {
    impl_->abandoned = true;
    impl_->handle.close();
}

bool PipeReader::ended() const {
    return impl_->ended;
}

void PipeReader::drain() {
    impl_->read_some(kReadsPerDrain, true);
}

void PipeReader::pause(bool paused) {
    if (impl_->ended || impl_->paused == paused) return;
    impl_->paused = paused;
    if (paused) {
        uv_poll_stop(&impl_->handle.poll);
    } else {
        impl_->poll();
    }
}

struct PipeWriter::Impl {
    Handle<Impl> handle;
    std::string pending;
    size_t written = 0;
    size_t lost = 0;  // unread when it was given up
    bool polling = false, closing = false;

    void flush() {
        while (handle.open && written < pending.size()) {
            ssize_t sent = ::write(handle.fd, pending.data() + written, pending.size() - written);
            if (sent >= 0) {
                written += size_t(sent);
            } else if (errno == EAGAIN) {
                break;
            } else if (errno != EINTR) {
                give_up();
                return;
            }
        }
        if (written < pending.size()) {
            wait_for_room();
            return;
        }
        pending.clear();
        written = 0;
        if (closing) {
            handle.close();
        } else if (polling) {
            polling = false;
            uv_poll_stop(&handle.poll);
        }
    }

    size_t unread() const {
        int in_pipe = 0;
        if (!handle.open || ioctl(handle.fd, FIONREAD, &in_pipe) != 0) return lost;
        return pending.size() - written + size_t(in_pipe);
    }

    void give_up() {
        lost = unread();
        pending.clear();
        written = 0;
        handle.close();
    }

    void wait_for_room() {
        if (polling) return;
        polling = true;
        uv_poll_start(&handle.poll, UV_WRITABLE, [](uv_poll_t* polled, int status, int) {
            Impl& impl = *static_cast<Impl*>(polled->data);
            if (status < 0) {
                impl.give_up();
            } else {
                impl.flush();
            }
        });
    }
};

PipeWriter::PipeWriter(UvReactor& reactor, int fd) : impl_(std::make_shared<Impl>()) {
    set_nonblocking(fd);
    impl_->handle.init(reactor, fd, impl_);
}

PipeWriter::~PipeWriter() {
    impl_->handle.close();
}

void PipeWriter::write(std::string bytes) {
    if (!impl_->handle.open || impl_->closing) return;
    if (impl_->pending.empty()) {
        impl_->pending = std::move(bytes);
    } else {
        impl_->pending += bytes;
    }
    if (!impl_->polling) impl_->flush();
}

void PipeWriter::close_after_write() {
    if (!impl_->handle.open) return;
    impl_->closing = true;
    if (!impl_->polling) impl_->flush();
}

bool PipeWriter::closed() const {
    return !impl_->handle.open;
}

size_t PipeWriter::unread() const {
    return impl_->unread();
}

size_t PipeWriter::unwritten() const {
    return impl_->pending.size() - impl_->written;
}

}  // namespace jobq
