// Scenarios of system calls that do less than was asked, or refuse: what the kernel may do at any
// time, and seldom does. jobqd and its runner must not end, and no frame may be lost or torn.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/chaos/inject.h"
#include "tests/chaos/paths.h"
#include "tests/chaos/scenarios.h"
#include "tests/chaos/witness.h"
#include "tests/support/poll.h"

namespace jobq::chaos {
namespace {

namespace fs = std::filesystem;

// jobqd and the runner that were there at the start are there at the end.
class SameProcesses {
  public:
    explicit SameProcesses(Rig& rig)
        : rig_(rig), daemon_(rig.daemon().pid()), runner_(rig.daemon().runner_pid()) {}

    pid_t any() { return rig_.below(2) ? daemon_ : runner_; }

    void check() {
        if (!test::is_alive(daemon_)) {
            rig_.daemon().wait_end(1);
            rig_.found(FindingKind::ended, "", "jobqd ended");
            rig_.daemon().start();
        } else if (!test::is_alive(runner_)) {
            rig_.found(FindingKind::ended, "", "the runner ended");
        } else {
            return;
        }
        daemon_ = rig_.daemon().pid();
        test::eventually([&] { return test::is_alive(rig_.daemon().runner_pid()); });
        runner_ = rig_.daemon().runner_pid();
    }

  private:
    Rig& rig_;
    pid_t daemon_, runner_;
};

// Reads and writes of some bytes only, EINTR and EAGAIN, all the time.
Report short_io(const RunOptions& options, std::string& directory) {
    setenv("CHAOS_SHORT_IO", std::to_string(options.seed).c_str(), 1);
    setenv("LD_PRELOAD", kShortShim, 1);
    Rig rig(options, {});
    unsetenv("LD_PRELOAD");
    directory = rig.directory();
    SameProcesses same(rig);
    for (const pid_t pid : {rig.daemon().pid(), rig.daemon().runner_pid()})
        if (test::read_file("/proc/" + std::to_string(pid) + "/maps").find("short_shim") ==
            std::string::npos)
            rig.lacks("the shim is not in process " + std::to_string(pid));
    rig.repeat(500, 500, [&] { same.check(); });
    return rig.finish();
}

// As many as it has open, or some more.
void limit_files(pid_t pid, rlim_t limit) {
    rlimit now{};
    if (prlimit(pid, RLIMIT_NOFILE, nullptr, &now) != 0) return;
    now.rlim_cur = std::min(limit, now.rlim_max);
    prlimit(pid, RLIMIT_NOFILE, &now, nullptr);
}

Report few_files(const RunOptions& options, std::string& directory) {
    Rig rig(options, {});
    directory = rig.directory();
    SameProcesses same(rig);
    rig.repeat(300, 1'500, [&] {
        const pid_t pid = same.any();
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        rlimit before{};
        if (prlimit(pid, RLIMIT_NOFILE, nullptr, &before) != 0) return;
        const fs::path fds = "/proc/" + std::to_string(pid) + "/fd";
        const auto open = std::distance(fs::directory_iterator(fds), fs::directory_iterator());
        limit_files(pid, rlim_t(open + rig.below(4)));
        rig.rest(300, 2'000);
        limit_files(pid, before.rlim_cur);
        fault.until_us = monotonic_us();
        rig.note(fault);
        same.check();
    });
    return rig.finish();
}

constexpr const char* kErrors[] = {
    "read,write,readv,writev,sendmsg,recvmsg,sendto,recvfrom:error=EINTR:when=2+5",
    "epoll_wait,epoll_pwait,accept4,wait4,waitid,connect:error=EINTR:when=1+3",
    "accept4:error=EMFILE:when=1+2",
    "accept4:error=ECONNABORTED:when=1+2",
    "socket,socketpair:error=ENOBUFS:when=1+2",
    "pipe,pipe2:error=ENFILE:when=1+2",
    "openat:error=EMFILE:when=1+3",
    "clone,clone3,fork,vfork:error=EAGAIN:when=1+2",
    "clone,clone3,fork,vfork:error=ENOMEM:when=1+2",
};

Report odd_errors(const RunOptions& options, std::string& directory) {
    need_tracing();
    Rig rig(options, {});
    directory = rig.directory();
    SameProcesses same(rig);
    size_t next = size_t(rig.below(int(std::size(kErrors))));
    rig.repeat(100, 600, [&] {
        Fault fault{Fault::Kind::trouble, monotonic_us(), 0, "", 0};
        {
            const Inject inject(same.any(), kErrors[next++ % std::size(kErrors)], "",
                                Inject::Whom::alone);
            rig.rest(500, 1'200);
        }
        fault.until_us = monotonic_us();
        rig.note(fault);
        same.check();
    });
    return rig.finish();
}

}  // namespace

std::vector<Scenario> syscall_scenarios() {
    return {
        {"short_io", "19 reads and writes of some bytes, EINTR, EAGAIN", "", false, short_io},
        {"few_files", "19 no more files can be opened, for a moment", "", false, few_files},
        {"odd_errors", "19 system calls fail with EINTR, EMFILE, EAGAIN, ENOBUFS", "root strace",
         false, odd_errors},
    };
}

}  // namespace jobq::chaos
