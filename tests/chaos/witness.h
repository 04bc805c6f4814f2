// The witness log: what jobs write down of themselves, each line by one O_APPEND write, so that it
// does not depend on jobqd. Written by witness_job and by the workers of a chaos run, read for the
// checker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/chaos/checker.h"

namespace jobq::chaos {

// CLOCK_MONOTONIC in microseconds, from the kernel itself: a shim that moves the clock of the
// process under test must not move this one.
int64_t monotonic_us();
int64_t wall_ms();
void pause_ms(int64_t ms);

std::string checksum_of(std::string_view bytes);

// False when it could not be written, which is said on stderr.
bool write_mark(const std::string& path, const Mark& mark);

// Many by one write, for who has a log of its own: killed in the middle of it, the last line is
// torn.
bool write_marks(int fd, const std::vector<Mark>& marks);

// Throws when a line can't be read: a log that is damaged proves nothing. `may_be_torn`: but for
// the last one, when it has no end, which was not written then.
std::vector<Mark> read_marks(const std::string& path, bool may_be_torn = false);

}  // namespace jobq::chaos
