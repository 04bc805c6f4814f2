// Starting a child by clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD), see child_image.h.
// Must stay true: nothing marked JOBQ_IN_CHILD calls anything but the kernel.
#include "daemon/loop/child_image.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "core/base/text.h"
#include "daemon/loop/oom_score.h"

namespace jobq {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr size_t kStackBytes = 64 << 10;
constexpr int kSignals = 64;

// The kernel's own sigaction: glibc's wrapper refuses the two signals it keeps for itself.
struct KernelSigaction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
};

struct Image {
    const char* program;
    char* const* argv;
    char* const* env;
    const char* cwd;  // or null
    int stdio[3];     // all above 2
    const SpawnPlan* plan;
    const int* keep_fds;
    size_t keep_count;
    const SpawnPlan::Limit* limits;
    size_t limit_count;
    pid_t parent;
    volatile int error;  // errno of the step that failed
    const char* volatile step;
};

// The child shares the sanitizers' view of this stack with its parent and never returns from it.
#define JOBQ_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

JOBQ_IN_CHILD bool broke(Image& image, const char* step) {
    image.error = errno;
    image.step = step;
    return false;
}

JOBQ_IN_CHILD void reset_signals() {
    // Handlers of the parent must not run in the child once signals are let in again.
    KernelSigaction act{};
    for (int number = 1; number <= kSignals; ++number) {
        syscall(SYS_rt_sigaction, number, &act, nullptr, sizeof act.mask);
    }
}

JOBQ_IN_CHILD bool set_descriptors(Image& image) {
    for (int i = 0; i < 3; ++i) {
        if (syscall(SYS_dup2, image.stdio[i], i) < 0) return broke(image, "dup2");
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return broke(image, "close_range");
    for (size_t i = 0; i < image.keep_count; ++i) {
        if (syscall(SYS_fcntl, image.keep_fds[i], F_SETFD, 0) < 0) return broke(image, "keep_fds");
    }
    return true;
}

JOBQ_IN_CHILD bool set_limits(Image& image) {
    const SpawnPlan& plan = *image.plan;
    if (plan.nice.has_value() && syscall(SYS_setpriority, PRIO_PROCESS, 0, *plan.nice) < 0)
        return broke(image, "nice");
    for (size_t i = 0; i < image.limit_count; ++i) {
        rlimit limit{image.limits[i].soft, image.limits[i].hard};
        if (syscall(SYS_prlimit64, 0, image.limits[i].resource, &limit, nullptr) < 0)
            return broke(image, "setrlimit");
    }
    return true;
}

JOBQ_IN_CHILD bool prepare(Image& image) {
    const SpawnPlan& plan = *image.plan;
    reset_signals();
    if (plan.new_session && syscall(SYS_setsid) < 0) return broke(image, "setsid");
    if (plan.die_with_parent) {
        if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
            return broke(image, "PR_SET_PDEATHSIG");
        // The parent may have died before the line above: then nobody sends the signal.
        if (syscall(SYS_getppid) != image.parent) syscall(SYS_exit_group, 127);
    }
    if (plan.adopts && syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return broke(image, "PR_SET_CHILD_SUBREAPER");
    if (plan.pid_note != nullptr)
        __atomic_store_n(plan.pid_note, int(syscall(SYS_getpid)), __ATOMIC_SEQ_CST);
    if (plan.umask.has_value()) syscall(SYS_umask, *plan.umask);
    if (image.cwd != nullptr && syscall(SYS_chdir, image.cwd) < 0) return broke(image, "chdir");
    if (!set_descriptors(image) || !set_limits(image)) return false;
    if (plan.no_new_privs && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return broke(image, "PR_SET_NO_NEW_PRIVS");
    return true;
}

JOBQ_IN_CHILD int child_main(void* argument) {
    Image& image = *static_cast<Image*>(argument);
    if (prepare(image)) {
        uint64_t none = 0;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
        syscall(SYS_execve, image.program, image.argv, image.env);
        broke(image, "exec");
    }
    syscall(SYS_exit_group, 127);
    return 127;
}

// One for the process: children are started by the loop's thread only, which stands still
// meanwhile.
char* stack_top() {
    static char* const base =
        static_cast<char*>(mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0));
    JOBQ_CHECK(base != MAP_FAILED);
    return base + kStackBytes;
}

Error spawn_error(const Image& image, int error) {
    std::string program = image.program;
    std::string why = std::strerror(error);
    std::string_view step = image.step == nullptr ? "clone" : image.step;
    if (step == "chdir") {
        return {ErrorCode::forbidden, "can't start " + program + " in " + image.cwd + ": " + why};
    }
    if (step == "exec" && error == ENOENT) {
        return {ErrorCode::not_found,
                "can't start " + program +
                    ": the program, or the interpreter in its first line, does not exist"};
    }
    if (step == "exec" && error == E2BIG) {
        return {ErrorCode::too_large,
                "can't start " + program + ": the arguments or the environment are too long"};
    }
    if (step == "exec" && error == ENOEXEC) {
        return {ErrorCode::forbidden,
                "can't start " + program +
                    ": it is neither a program for this machine nor a script whose first line "
                    "names its interpreter, such as #!/bin/sh"};
    }
    if (step == "exec" && error == ETXTBSY)
        return {ErrorCode::conflict, "can't start " + program + ": it is being written"};
    ErrorCode code = ErrorCode::internal;
    // What this machine, or this process, has too little of right now.
    if (error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE)
        code = ErrorCode::busy;
    if (error == EACCES || error == EPERM) code = ErrorCode::forbidden;
    return {code, "can't start " + program + ": " + std::string(step) + ": " + why};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (const auto& text : texts)
        out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

int null_fd() {
    static const int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd;
}

// Copies above 2, so that the child's dup2 onto 0..2 never overwrites one it still needs.
struct StdioFds {
    int fds[3] = {-1, -1, -1};
    bool owned[3] = {false, false, false};

    explicit StdioFds(const SpawnPlan& plan) {
        const int wanted[3] = {plan.stdin_fd, plan.stdout_fd, plan.stderr_fd};
        for (int i = 0; i < 3; ++i) {
            fds[i] = wanted[i] < 0 ? null_fd() : wanted[i];
            if (fds[i] > 2) continue;
            fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
            owned[i] = true;
        }
    }

    ~StdioFds() {
        for (int i = 0; i < 3; ++i)
            if (owned[i] && fds[i] >= 0) close(fds[i]);
    }

    StdioFds(const StdioFds&) = delete;
};

Result<StartedChild> clone_and_exec(Image& image) {
    StartedChild child;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    child.pid = clone(child_main, stack_top(), flags, &image, &child.pidfd);
    int error = child.pid < 0 ? errno : image.error;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (child.pid >= 0 && error == 0) return child;
    if (child.pid >= 0) {
        siginfo_t info{};
        waitid(P_PIDFD, id_t(child.pidfd), &info, WEXITED);
        close(child.pidfd);
    }
    return tl::unexpected<Error>(spawn_error(image, error));
}

std::string_view path_of(const SpawnPlan& plan) {
    for (const auto& entry : plan.env)
        if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
    return kDefaultPath;
}

bool is_file(const std::string& path) {
    struct stat st {};

    return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

}  // namespace

Result<std::string> find_program(const SpawnPlan& plan) {
    const std::string& name = plan.program.empty() ? plan.argv.front() : plan.program;
    if (name.find('/') != std::string::npos) return name;
    bool seen = false;
    for (auto folder : split(path_of(plan), ':')) {
        if (name.empty()) continue;
        // As for a shell: an empty entry is the current folder.
        std::string file = (folder.empty() ? "." : std::string(folder)) + "/" + name;
        // Where it will be looked for: after the chdir.
        const bool moves = file.front() != '/' && !plan.cwd.empty();
        const std::string here = moves ? plan.cwd + "/" + file : file;
        if (!is_file(here)) continue;
        if (access(here.c_str(), X_OK) == 0) return file;
        seen = true;
    }
    if (seen) return fail(ErrorCode::forbidden, "can't start " + name + ": it is not executable");
    return fail(ErrorCode::not_found,
                "can't start " + name + ": no such program in " + std::string(path_of(plan)));
}

Result<StartedChild> start_child(const SpawnPlan& plan) {
    if (plan.argv.empty()) return fail(ErrorCode::invalid, "can't start a program without a name");
    auto program = find_program(plan);
    if (!program) return tl::unexpected<Error>(program.error());
    StdioFds stdio(plan);
    auto argv = pointers(plan.argv);
    auto env = pointers(plan.env);
    Image image{};
    image.program = program->c_str();
    image.argv = argv.data();
    image.env = env.data();
    image.cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str();
    std::memcpy(image.stdio, stdio.fds, sizeof image.stdio);
    image.plan = &plan;
    image.keep_fds = plan.keep_fds.data();
    image.keep_count = plan.keep_fds.size();
    image.limits = plan.limits.data();
    image.limit_count = plan.limits.size();
    image.parent = getpid();
    const RaisedOomScore raised(plan.oom_score_adj);
    return clone_and_exec(image);
}

}  // namespace jobq
