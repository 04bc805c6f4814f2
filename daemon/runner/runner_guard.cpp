// The guard process; see guard.h.
// Must stay true: the child of fork() allocates nothing that another thread may have locked.
#include "daemon/runner/runner_guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "daemon/loop/orphans.h"

namespace jobq {
namespace {

constexpr int kSessions = 4096;  // more at once are not guarded
constexpr int kReserved = -1;
constexpr int kRounds = 100;
constexpr int kQuietRounds = 3;  // a killed process's children are found in the next
constexpr useconds_t kRoundPauseUs = 10'000;

// Ended, and waiting for a parent that may be slow to ask (process 1 of a container): nothing is
// left of it to kill.
bool is_zombie(int pid) {
    char path[32], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return true;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return true;
    text[length] = '\0';
    // pid (name) state: the name may hold anything, so from the last bracket.
    const char* bracket = strrchr(text, ')');
    return bracket != nullptr && bracket[1] == ' ' && bracket[2] == 'Z';
}

}  // namespace

// Zero is free, kReserved taken but not started, else a session. Plain integers, since a child
// writes its own by a pointer.
struct RunnerGuard::Table {
    int sessions[kSessions];

    static std::atomic_ref<int> at(int& session) { return std::atomic_ref<int>(session); }

    bool any() {
        for (auto& session : sessions)
            if (at(session).load() > 0) return true;
        return false;
    }

    bool holds(int wanted) {
        for (auto& session : sessions)
            if (at(session).load() == wanted) return true;
        return false;
    }

    int* replace(int from, int to) {
        for (auto& session : sessions) {
            int expected = from;
            if (at(session).compare_exchange_strong(expected, to)) return &session;
        }
        return nullptr;
    }

    // Kills every process of our sessions; how many still ran.
    int kill_all() {
        int killed = 0;
        DIR* folder = opendir("/proc");
        if (folder == nullptr) return 0;
        while (dirent* entry = readdir(folder)) {
            int pid = atoi(entry->d_name);
            if (pid <= 1) continue;
            int session = getsid(pid);
            if (session <= 0 || !holds(session)) continue;
            bool over = is_zombie(pid);
            if (kill(pid, SIGKILL) == 0 && !over) ++killed;
        }
        closedir(folder);
        return killed;
    }

    [[noreturn]] void watch(int fd) {
        prctl(PR_SET_NAME, "jobqd-guard", 0, 0, 0);
        setsid();
        for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT})
            signal(number, SIG_IGN);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int i = 0; i < 3; ++i)
            dup2(null, i);
        char byte = 0;
        while (read(fd, &byte, 1) < 0 && errno == EINTR) {
        }
        int quiet = 0;
        for (int round = 0; any() && round < kRounds && quiet < kQuietRounds; ++round) {
            quiet = kill_all() == 0 ? quiet + 1 : 0;
            usleep(kRoundPauseUs);
        }
        _exit(0);
    }
};

std::unique_ptr<RunnerGuard> RunnerGuard::start() {
    static_assert(std::atomic_ref<int>::is_always_lock_free);
    void* memory =
        mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (memory == MAP_FAILED) return nullptr;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        munmap(memory, sizeof(Table));
        return nullptr;
    }
    auto* table = static_cast<Table*>(memory);  // all zero: no session
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        table->watch(ends[0]);
    }
    close(ends[0]);
    std::unique_ptr<RunnerGuard> guard(new RunnerGuard);
    guard->table_ = table;
    guard->pipe_fd_ = ends[1];
    guard->pid_ = pid;
    if (pid < 0) return nullptr;
    know_child(pid);
    return guard;
}

RunnerGuard::~RunnerGuard() {
    close(pipe_fd_);
    if (pid_ > 0) {
        while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
        forget_child(pid_);
    }
    munmap(table_, sizeof(Table));
}

int* RunnerGuard::reserve() {
    return table_->replace(0, kReserved);
}

void RunnerGuard::give_back(int* place) {
    if (place != nullptr) Table::at(*place).store(0);
}

void RunnerGuard::leave(int session) {
    table_->replace(session, 0);
}

}  // namespace jobq
