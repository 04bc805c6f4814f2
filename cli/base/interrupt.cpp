#include "cli/base/interrupt.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace jobq::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;
int g_scopes = 0;
sigset_t g_outside;  // the mask before the first scope: what poll_until() lets in
struct sigaction g_old_int, g_old_term;

void on_signal(int) {
    g_interrupted = 1;
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
        const int ready = ppoll(fds, nfds_t(count), &limit, g_scopes > 0 ? &g_outside : nullptr);
        if (ready > 0) return true;
        if (ready == 0 && monotonic_us() >= deadline_us) return false;
        if (ready < 0 && errno != EINTR) return false;
    }
    return false;
}

void sleep_until(int64_t deadline_ms) {
    poll_until(nullptr, 0, deadline_ms);
}

}  // namespace jobq::cli
