// A process whose environment and memory its own user's other processes can't read: jobs run as the
// same user as jobqd and its runner, and these know passwords. Called by main().
#pragma once

namespace jobq {

// No ptrace, no /proc/PID/environ and mem for others of the same user, no core. Root may all the
// same. Holds until the next exec. With the variable JOBQ_DEBUG=1 nothing is closed.
void close_to_own_user();

}  // namespace jobq
