#include "cli/base/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

namespace jobq::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;
int g_scopes = 0;
bool g_watch_reader = false, g_reader_gone = false;
sigset_t g_outside;  // the mask before the first scope: what poll_until() lets in
struct sigaction g_old_int, g_old_term;

void on_signal(int) {
    g_interrupted = 1;
}

constexpr size_t kMostWatched = 8;

// ppoll() with stdout beside `fds`: a pipe without a reader is an error of it.
int poll_with_reader(const pollfd* fds, size_t count, const timespec* limit, const sigset_t* mask,
                     pollfd* out) {
    std::array<pollfd, kMostWatched + 1> all{};
    std::copy_n(fds, count, all.begin());
    all[count] = {STDOUT_FILENO, 0, 0};
    const int ready = ppoll(all.data(), nfds_t(count + 1), limit, mask);
    if (ready <= 0) return ready;
    std::copy_n(all.begin(), count, out);
    if ((all[count].revents & (POLLERR | POLLHUP)) == 0) return ready;
    g_reader_gone = true;
    g_interrupted = 1;
    return 0;
}

int64_t clock_us(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return int64_t(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

InterruptScope::InterruptScope() {
    if (g_scopes++ > 0) return;
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGINT);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &g_outside);

    struct sigaction action {};

    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, &g_old_int);
    sigaction(SIGTERM, &action, &g_old_term);
}

InterruptScope::~InterruptScope() {
    if (--g_scopes > 0) return;
    sigaction(SIGINT, &g_old_int, nullptr);
    sigaction(SIGTERM, &g_old_term, nullptr);
    sigprocmask(SIG_SETMASK, &g_outside, nullptr);
}

bool interrupted() {
    return g_interrupted != 0;
}

void interrupt() {
    if (g_scopes > 0) g_interrupted = 1;
}

void end_with_reader() {
    g_watch_reader = true;
}

bool reader_gone() {
    return g_reader_gone;
}

void forget_interrupt() {
    g_interrupted = 0;
}

int64_t monotonic_ms() {
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t wall_ms() {
    return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t monotonic_us() {
    return clock_us(CLOCK_MONOTONIC);
}

int64_t wall_us() {
    return clock_us(CLOCK_REALTIME);
}

bool poll_until(pollfd* fds, size_t count, int64_t deadline_ms) {
    return poll_until_us(fds, count, deadline_ms * 1000);
}

bool poll_until_us(pollfd* fds, size_t count, int64_t deadline_us) {
    while (!interrupted()) {
        const int64_t left = std::max<int64_t>(0, deadline_us - monotonic_us());
        timespec limit{};
        limit.tv_sec = left / 1'000'000;
        limit.tv_nsec = (left % 1'000'000) * 1'000;
        const sigset_t* mask = g_scopes > 0 ? &g_outside : nullptr;
        const int ready = g_watch_reader && count <= kMostWatched
                              ? poll_with_reader(fds, count, &limit, mask, fds)
                              : ppoll(fds, nfds_t(count), &limit, mask);
        if (ready > 0) return true;
        if (ready == 0 && monotonic_us() >= deadline_us) return false;
        if (ready < 0 && errno != EINTR) return false;
    }
    return false;
}

int write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd waiting{fd, POLLOUT, 0};
        const timespec none{};
        // In pieces that a pipe with room takes without blocking: else ^C would not be heard.
        const int ready = ppoll(&waiting, 1, interrupted() ? &none : nullptr,
                                g_scopes > 0 ? &g_outside : nullptr);
        if (ready == 0) return EINTR;
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return errno;
        const ssize_t wrote = ::write(fd, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
        if (wrote >= 0) bytes.remove_prefix(size_t(wrote));
        if (wrote < 0 && errno != EINTR && errno != EAGAIN) return errno;
    }
    return 0;
}

void sleep_until(int64_t deadline_ms) {
    poll_until(nullptr, 0, deadline_ms);
}

}  // namespace jobq::cli
