// Child: a child process on the loop, watched by pidfd, so a signal can never reach a recycled pid.
// What to run is described by SpawnPlan; everything async-signal-safe happens between clone and
// exec in the child (daemon/loop/child.cpp).
#pragma once

#include <sys/resource.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "daemon/loop/uv_reactor.h"

namespace jobq {

struct SpawnPlan {
    std::vector<std::string> argv;  // argv[0] absolute, or looked up in the plan's own PATH
    std::string program;            // file to exec; "": argv[0]
    std::vector<std::string> env;   // "NAME=value", complete: nothing is inherited
    std::string cwd;                // "" stays
    int stdin_fd = -1, stdout_fd = -1, stderr_fd = -1;  // -1: /dev/null; not closed by spawn()
    std::vector<int> keep_fds;                          // further descriptors the child inherits
    bool new_session = true;                            // setsid: own process group
    bool die_with_parent = true;                        // PR_SET_PDEATHSIG SIGKILL
    bool adopts = false;  // PR_SET_CHILD_SUBREAPER: orphans below it come to it, not to us
    bool no_new_privs = false;
    std::optional<int> umask;
    std::optional<int> nice;
    std::optional<int> oom_score_adj;  // best effort

    struct Limit {
        int resource;
        rlim_t soft, hard;
    };

    std::vector<Limit> limits;
    // Written by the child before it execs: its pid, for who must know it before it can do
    // anything, in memory shared with another process.
    int* pid_note = nullptr;
};

struct ChildEnd {
    std::optional<int> exit_code;
    std::optional<int> signal;
    rusage usage{};
};

class Child {
  public:
    // `on_end` is called once from the loop after the process was reaped.
    // Errors: not_found (no such program), forbidden (not executable, no such folder), too_large
    // (E2BIG), conflict (the program is open for writing), busy (EAGAIN), internal.
    static Result<std::unique_ptr<Child>> spawn(UvReactor& reactor, const SpawnPlan& plan,
                                                std::function<void(ChildEnd)> on_end);
    ~Child();  // a child still running is left to itself, and reaped by sweep_orphans()
    Child(const Child&) = delete;

    int pid() const;
    bool ended() const;
    // To the process alone (by pidfd), or to its whole group; nothing once it has ended.
    void signal(int number);
    void signal_group(int number);

  private:
    struct Impl;
    Child() = default;
    std::shared_ptr<Impl> impl_;
};

}  // namespace jobq
