// ^C while jobq waits: a verb that waits asks to be told instead of being ended, so that it can say
// what goes on without it. All other verbs keep the system's behaviour.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jobq::cli {

// While one lives, SIGINT and SIGTERM set interrupted() and end poll_until() early.
class InterruptScope {
  public:
    InterruptScope();
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;
};

bool interrupted();
// As ^C does, from inside: for output that nobody can take any more. Nothing outside of a scope.
void interrupt();
// For who has heeded it and must still say something to the daemon.
void forget_interrupt();

int64_t monotonic_ms();
int64_t wall_ms();
int64_t monotonic_us();
int64_t wall_us();

// ppoll() until a descriptor is ready, `deadline_ms` (monotonic_ms()'s clock) has passed or an
// interrupt came; the signals are let in only inside, so none is missed. Returns whether one is
// ready. Negative descriptors are ignored.
bool poll_until(pollfd* fds, size_t count, int64_t deadline_ms);

// The same to the microsecond.
bool poll_until_us(pollfd* fds, size_t count, int64_t deadline_us);

// From now on a wait ends, as if interrupted, when nobody reads stdout any more: for a verb that
// only follows. Else it would find out with its next line, which may never come.
void end_with_reader();
bool reader_gone();

// Writes all of it, waiting where the descriptor does not block. 0, or the errno it ended with:
// EINTR when it was interrupted and nobody takes the rest.
int write_all(int fd, std::string_view bytes);

// Sleeps to the deadline, or until an interrupt.
void sleep_until(int64_t deadline_ms);

}  // namespace jobq::cli
