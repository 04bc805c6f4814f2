// Process trees: what a process has started, and what that has started, whatever sessions and
// groups they made of themselves. By one walk through /proc, so for stops and not for each job.
// Used by the runner's orphan sweeper.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

namespace jobq {

// A process, told from a later one of the same number by its start.
struct ProcessId {
    int pid = -1;
    uint64_t start = 0;  // ticks since the boot

    bool operator==(const ProcessId&) const = default;

    bool operator<(const ProcessId& other) const {
        return std::tie(pid, start) < std::tie(other.pid, other.start);
    }
};

struct ProcessInfo {
    ProcessId id;
    int parent = -1, group = -1, session = -1;
    bool over = false;  // ended, not yet reaped
};

std::optional<ProcessInfo> process_info(int pid);

// All that live and descend from `root`, without it. What is started meanwhile may be missing.
std::vector<ProcessInfo> descendants(int root);

// Nothing when it has ended, even when another has its number by now.
void signal_process(const ProcessId& id, int number);

}  // namespace jobq
