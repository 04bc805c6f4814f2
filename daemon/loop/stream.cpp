// Stream on a raw socket and uv_poll: one poll handle per stream whose event mask changes only when
// it must (each change is system calls), reads through one buffer per thread, writes tried at once
// and polled for only when the kernel's buffer is full.
// TLS sits between the socket's bytes and the buffers: stream_tls.cpp.
// Must stay true: the poll callback reads, writes and notifies, it never resumes a coroutine.
#include "daemon/loop/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/limits.h"
#include "core/tls/tls.h"
#include "daemon/loop/bind.h"

namespace jobq {

// What libuv holds on to. Outlives the stream until libuv and the deferred calls let go of it.
struct Stream::Impl {
    uv_poll_t poll;
    Stream* owner = nullptr;
    int fd = -1;
    int mask = 0;
    int pins = 1;  // the stream, the open handle, and each deferred call
    bool polling = false;

    static Impl& of(void* data) { return *static_cast<Impl*>(data); }

    void unpin() {
        if (--pins == 0) delete this;
    }

    static void polled(uv_poll_t* handle, int status, int events) {
        Impl& self = of(handle->data);
        if (self.owner) self.owner->on_poll(status, events);
    }

    void set_mask(int wanted) {
        if (!polling || wanted == mask) return;
        mask = wanted;
        if (mask == 0) {
            uv_poll_stop(&poll);
        } else {
            uv_poll_start(&poll, mask, &Impl::polled);
        }
    }

    void close_handle() {
        if (!polling) return;
        polling = false;
        uv_close(reinterpret_cast<uv_handle_t*>(&poll),
                 [](uv_handle_t* handle) { of(handle->data).unpin(); });
        ::close(fd);
        fd = -1;
    }
};

namespace {

constexpr int kReadsPerCallback = 4;            // then the other streams have their turn
constexpr size_t kKeepCapacityBytes = 1 << 20;  // of an idle write buffer

char* read_space() {
    thread_local char space[limits::kReadChunkBytes];
    return space;
}

std::string errno_text(int error) {
    return std::strerror(error);
}

}  // namespace

Stream::Stream(UvReactor& reactor, int fd, bool is_unix)
    : reactor_(reactor),
      impl_(new Impl),
      readable_(reactor),
      writable_(reactor),
      is_unix_(is_unix) {
    impl_->owner = this;
    impl_->fd = fd;
    impl_->poll.data = impl_;
    if (!is_unix) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    int status = uv_poll_init(reactor.loop(), &impl_->poll, fd);
    if (status == 0) {
        impl_->polling = true;
        ++impl_->pins;
        return;
    }
    error_ = uv_strerror(status);
    closed_ = true;
    ::close(fd);
}

Stream::~Stream() {
    JOBQ_CHECK(inside_ == 0);  // close() and wait for your coroutines first
    shut();
    impl_->owner = nullptr;
    impl_->unpin();
}

void Stream::update_polling() {
    int mask = 0;
    if (reading_ && !ended_ && in_.size() < max_buffer_) {
        mask |= UV_READABLE;
    } else if (watched_ && !ended_) {
        mask |= UV_DISCONNECT;
    }
    if (write_busy_) mask |= UV_WRITABLE;
    impl_->set_mask(mask);
}

void Stream::on_poll(int status, int events) {
    if (status < 0) {
        // libuv stops a handle at POLLERR and does not say why: the socket does. What came before
        // the error is still read.
        impl_->mask = 0;
        while (receive_once()) {
        }
        if (closed_) return;
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(impl_->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0 && !ended_) error = ECONNRESET;
        fail(error == 0 ? "" : errno_text(error));
        return;
    }
    if (events & UV_READABLE) {
        receive();
    } else if (events & UV_DISCONNECT) {
        tell_watcher();
    }
    if (!closed_ && (events & UV_WRITABLE) != 0) flush();
}

// Reads what is there. False when there was no more to read, or no room.
bool Stream::receive_once() {
    size_t room = max_buffer_ > in_.size() ? max_buffer_ - in_.size() : 0;
    if (room == 0 || ended_ || closed_) return false;
    size_t wanted = std::min(room, limits::kReadChunkBytes);
    ssize_t got = ::recv(impl_->fd, read_space(), wanted, MSG_DONTWAIT);
    if (got > 0) {
        // One copy of the bytes that came is cheaper than zeroing 64 KiB of string for each read.
        came({read_space(), size_t(got)});
        return size_t(got) == wanted;
    }
    if (got == 0) {
        end_of_input();
    } else if (errno == EINTR) {
        return true;
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        fail(errno_text(errno));
    }
    return false;
}

void Stream::came(std::string_view bytes) {
    if (tls_) return came_encrypted(bytes);
    in_.append(bytes);
    received_total_ += bytes.size();
}

void Stream::receive() {
    size_t before = received_total_;
    for (int n = 0; n < kReadsPerCallback && receive_once(); ++n) {
    }
    if (received_total_ != before) readable_.notify_all();
    if (!closed_) update_polling();
}

void Stream::end_of_input() {
    ended_ = true;
    tell_watcher();
    readable_.notify_all();
}

void Stream::tell_watcher() {
    watched_ = false;
    update_polling();
    if (on_close_ == nullptr || readable_.has_waiters()) return;
    ++impl_->pins;
    reactor_.defer([impl = impl_] {
        if (impl->owner && impl->owner->on_close_) std::exchange(impl->owner->on_close_, {})();
        impl->unpin();
    });
}

void Stream::watch_close(std::function<void()> fn) {
    on_close_ = std::move(fn);
    watched_ = on_close_ != nullptr && !closed();
    if (on_close_ != nullptr && closed()) {
        tell_watcher();
        return;
    }
    if (watched_) reading_ = true;
    if (!closed_) update_polling();
}

task<bool> Stream::read_more(int64_t limit_ms) {
    ++inside_;
    // Bytes may have come while the reader was busy with what it had: it must not wait for more.
    bool fresh = received_total_ != seen_total_ && !in_.empty();
    int64_t until = limit_ms < 0 ? -1 : reactor_.now_ms() + limit_ms;
    size_t seen = received_total_;
    if (reading_) update_polling();  // the reader may have made room
    while (!fresh && !closed() && in_.size() < max_buffer_) {
        reading_ = true;
        update_polling();
        int64_t left = until < 0 ? -1 : std::max<int64_t>(0, until - reactor_.now_ms());
        auto more = readable_.wait(left);
        bool notified = co_await more;
        fresh = received_total_ != seen;
        if (!notified) break;
    }
    seen_total_ = received_total_;
    --inside_;
    co_return fresh;
}

void Stream::write(std::string_view bytes) {
    if (closed_ || closing_after_write_) return;
    compose().append(bytes);
}

std::string& Stream::compose() {
    if (closed_ || closing_after_write_) {
        // Taken and forgotten; unwritten() must not count it.
        thread_local std::string dropped;
        dropped.clear();
        return dropped;
    }
    plan_flush();
    return out_;
}

void Stream::plan_flush() {
    if (flush_planned_ || write_busy_) return;
    flush_planned_ = true;
    ++impl_->pins;
    reactor_.defer([impl = impl_] {
        if (impl->owner) {
            impl->owner->flush_planned_ = false;
            if (!impl->owner->write_busy_) impl->owner->flush();
        }
        impl->unpin();
    });
}

size_t Stream::unwritten() const {
    return out_.size() + plain_.size() - encrypted_ + writing_.size() - written_;
}

// The next bytes for the socket; false when there are none, or, of TLS, none yet.
bool Stream::refill() {
    writing_.clear();
    written_ = 0;
    if (tls_) {
        encrypt_some();
    } else {
        writing_.swap(out_);
    }
    return !writing_.empty();
}

// True when it could go on: false when the kernel takes no more now, or the stream failed.
bool Stream::send_some() {
    ssize_t sent = ::send(impl_->fd, writing_.data() + written_, writing_.size() - written_,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
        written_ += size_t(sent);
        sent_total_ += size_t(sent);
        return true;
    }
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    int error = errno;
    // Its last words, an error reply perhaps, are worth reading.
    while (receive_once()) {
    }
    if (!closed_) fail(errno_text(error));
    return false;
}

void Stream::flush() {
    if (closed_) return;
    size_t before = sent_total_;
    bool going = true;
    while (going && (written_ < writing_.size() || refill()))
        going = send_some() && !closed_;
    if (closed_) return;
    bool busy = written_ < writing_.size();
    if (!busy) {
        writing_.clear();
        written_ = 0;
        if (writing_.capacity() > kKeepCapacityBytes) std::string().swap(writing_);
    }
    if (busy && !write_busy_) watch_stall(sent_total_);
    write_busy_ = busy;
    if (!busy && stall_timer_ != 0) reactor_.cancel(std::exchange(stall_timer_, 0));
    update_polling();
    if (sent_total_ != before) writable_.notify_all();
    if (!busy && closing_after_write_) shut();
}

// A peer that takes nothing would hold its memory, and whoever waits in drained(), for ever.
void Stream::watch_stall(size_t written_before) {
    auto look = [this, written_before] {
        stall_timer_ = 0;
        if (!write_busy_) return;
        if (sent_total_ == written_before) {
            fail("the other side accepts no data");
        } else {
            watch_stall(sent_total_);
        }
    };
    reactor_.cancel(stall_timer_);
    stall_timer_ = reactor_.after(limits::kWriteStallMs, look);
}

task<void> Stream::drained(size_t bytes) {
    ++inside_;
    while (!closed_ && unwritten() >= bytes && unwritten() > 0) {
        auto less = writable_.wait(-1);
        co_await less;
    }
    --inside_;
}

void Stream::close_after_write() {
    if (closed_ || closing_after_write_) return;
    closing_after_write_ = true;
    if (!write_busy_) flush();
    if (!closed_) linger_timer_ = reactor_.after(limits::kWriteStallMs, [this] { shut(); });
}

void Stream::close() {
    on_close_ = nullptr;
    shut();
}

void Stream::fail(std::string why) {
    if (closed_) return;
    error_ = std::move(why);
    if (!ended_) tell_watcher();
    shut();
}

void Stream::shut() {
    if (closed_) return;
    closed_ = true;
    write_busy_ = false;
    for (auto* bytes : {&out_, &plain_, &writing_})
        bytes->clear();
    written_ = encrypted_ = 0;
    reactor_.cancel(std::exchange(stall_timer_, 0));
    reactor_.cancel(std::exchange(linger_timer_, 0));
    impl_->close_handle();
    readable_.notify_all();
    writable_.notify_all();
}

PeerCredentials Stream::peer() const {
    PeerCredentials who;
    ucred raw{};
    socklen_t size = sizeof raw;
    if (!is_unix_ || impl_->fd < 0) return who;
    if (getsockopt(impl_->fd, SOL_SOCKET, SO_PEERCRED, &raw, &size) != 0) return who;
    who.pid = raw.pid;
    who.uid = raw.uid;
    who.gid = raw.gid;
    return who;
}

std::string Stream::peer_address() const {
    return is_unix_ ? "" : peer_address_of(impl_->fd);
}

}  // namespace jobq
