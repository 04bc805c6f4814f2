// A library for LD_PRELOAD: reads and writes of sockets and pipes do less than they could, or fail
// with EINTR or EAGAIN, as the kernel may do at any time. CHAOS_SHORT_IO is the seed. Files are
// left alone: Redis ends at a short write to its own, as it must.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace {

// xorshift; a race between threads only mixes it more.
uint64_t below(uint64_t limit) {
    static uint64_t state = [] {
        const char* seed = getenv("CHAOS_SHORT_IO");
        return (seed ? strtoull(seed, nullptr, 10) : 1) * 2654435761U + uint64_t(getpid());
    }();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

// How many of `size` bytes to do; 0: as much as there is to; -1: none, with errno.
ssize_t some(int fd, size_t size) {
    const int saved = errno;

    struct stat about {};

    if (fstat(fd, &about) != 0 || !(S_ISSOCK(about.st_mode) || S_ISFIFO(about.st_mode))) {
        errno = saved;
        return 0;
    }
    const bool waits = (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
    errno = saved;
    const uint64_t dice = below(10);
    if (dice == 0) errno = EINTR;
    if (dice == 1 && !waits) errno = EAGAIN;
    if (dice == 0 || (dice == 1 && !waits)) return -1;
    return dice < 6 && size > 1 ? ssize_t(1 + below(std::min<size_t>(size, 400))) : 0;
}

// The first `limit` bytes of a message.
struct Part {
    static constexpr size_t kMost = 64;
    iovec list[kMost];
    size_t count = 0;

    Part(const iovec* from, size_t n, size_t limit) {
        for (size_t i = 0; i < std::min(n, kMost) && limit > 0; ++i) {
            list[count] = from[i];
            list[count].iov_len = std::min(from[i].iov_len, limit);
            limit -= list[count++].iov_len;
        }
    }
};

size_t size_of(const iovec* list, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; ++i)
        size += list[i].iov_len;
    return size;
}

}  // namespace

extern "C" ssize_t read(int fd, void* to, size_t size) {
    const ssize_t part = some(fd, size);
    return part < 0 ? -1 : syscall(SYS_read, fd, to, part ? size_t(part) : size);
}

extern "C" ssize_t write(int fd, const void* from, size_t size) {
    const ssize_t part = some(fd, size);
    return part < 0 ? -1 : syscall(SYS_write, fd, from, part ? size_t(part) : size);
}

extern "C" ssize_t recv(int fd, void* to, size_t size, int flags) {
    const ssize_t part = some(fd, size);
    if (part < 0) return -1;
    return syscall(SYS_recvfrom, fd, to, part ? size_t(part) : size, flags, nullptr, nullptr);
}

extern "C" ssize_t send(int fd, const void* from, size_t size, int flags) {
    const ssize_t part = some(fd, size);
    if (part < 0) return -1;
    return syscall(SYS_sendto, fd, from, part ? size_t(part) : size, flags, nullptr, 0);
}

extern "C" ssize_t readv(int fd, const iovec* list, int count) {
    const ssize_t part = some(fd, size_of(list, size_t(count)));
    if (part <= 0) return part < 0 ? -1 : syscall(SYS_readv, fd, list, count);
    const Part first(list, size_t(count), size_t(part));
    return syscall(SYS_readv, fd, first.list, first.count);
}

extern "C" ssize_t writev(int fd, const iovec* list, int count) {
    const ssize_t part = some(fd, size_of(list, size_t(count)));
    if (part <= 0) return part < 0 ? -1 : syscall(SYS_writev, fd, list, count);
    const Part first(list, size_t(count), size_t(part));
    return syscall(SYS_writev, fd, first.list, first.count);
}

extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    const ssize_t part = some(fd, size_of(message->msg_iov, message->msg_iovlen));
    if (part <= 0) return part < 0 ? -1 : syscall(SYS_sendmsg, fd, message, flags);
    Part first(message->msg_iov, message->msg_iovlen, size_t(part));
    msghdr shorter = *message;
    shorter.msg_iov = first.list;
    shorter.msg_iovlen = first.count;
    return syscall(SYS_sendmsg, fd, &shorter, flags);
}

extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
    const ssize_t part = some(fd, size_of(message->msg_iov, message->msg_iovlen));
    if (part <= 0) return part < 0 ? -1 : syscall(SYS_recvmsg, fd, message, flags);
    Part first(message->msg_iov, message->msg_iovlen, size_t(part));
    msghdr shorter = *message;
    shorter.msg_iov = first.list;
    shorter.msg_iovlen = first.count;
    const ssize_t got = syscall(SYS_recvmsg, fd, &shorter, flags);
    message->msg_controllen = shorter.msg_controllen;
    message->msg_namelen = shorter.msg_namelen;
    message->msg_flags = shorter.msg_flags;
    return got;
}
