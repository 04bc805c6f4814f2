// What runs between clone and exec in a new child, for Child alone. The child shares the parent's
// memory until it execs (CLONE_VM) while the parent stands still (CLONE_VFORK): no copy of page
// tables, so a start costs the same however big the parent is.
//
// Must stay true: everything the child needs is prepared in the parent; the child calls the kernel
// and nothing else: no allocation, no lock, no stdio.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "daemon/loop/child.h"

namespace jobq {

struct StartedChild {
    int pid = -1;
    int pidfd = -1;  // CLOEXEC
};

// Errors as Child::spawn(): the child's own failed step is reported, and the child reaped.
Result<StartedChild> start_child(const SpawnPlan& plan);

// The file that would be executed. not_found, forbidden.
Result<std::string> find_program(const SpawnPlan& plan);

}  // namespace jobq
