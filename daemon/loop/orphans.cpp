// Finding and ending orphans by the kernel's list of our children; see orphans.h. One small file is
// read per sweep, not the whole of /proc, so that it can be done at the end of every job.
#include "daemon/loop/orphans.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace jobq {
namespace {

constexpr size_t kProcFileBytes = 256 << 10;  // of one file of /proc

std::unordered_set<int>& known() {
    static std::unordered_set<int> pids;
    return pids;
}

std::unordered_set<int>& left() {
    static std::unordered_set<int> pids;
    return pids;
}

bool read_file(const char* path, std::string& out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    out.clear();
    char part[4096];
    ssize_t got = 0;
    while (out.size() < kProcFileBytes && (got = read(fd, part, sizeof part)) > 0) {
        out.append(part, size_t(got));
    }
    close(fd);
    return got >= 0;
}

// A kernel without that list (CONFIG_PROC_CHILDREN): every process is asked for its parent.
std::vector<int> children_by_scan() {
    std::vector<int> found;
    std::string stat;
    DIR* folder = opendir("/proc");
    if (folder == nullptr) return found;
    while (dirent* entry = readdir(folder)) {
        int pid = atoi(entry->d_name);
        if (pid <= 0) continue;
        std::string path = "/proc/" + std::to_string(pid) + "/stat";
        if (!read_file(path.c_str(), stat)) continue;
        // pid (name) state ppid: the name may hold anything, so from the last bracket.
        size_t bracket = stat.rfind(')');
        if (bracket == std::string::npos || bracket + 4 >= stat.size()) continue;
        if (atoi(stat.c_str() + bracket + 4) == getpid()) found.push_back(pid);
    }
    closedir(folder);
    return found;
}

std::vector<int> children() {
    static const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
    std::string text;
    if (!read_file(path.c_str(), text)) return children_by_scan();
    std::vector<int> found;
    const char* at = text.data();
    const char* end = at + text.size();
    while (at < end) {
        int pid = 0;
        auto [next, error] = std::from_chars(at, end, pid);
        if (error == std::errc() && pid > 0) found.push_back(pid);
        at = next == at ? at + 1 : next;
    }
    return found;
}

std::string jid_of(int pid) {
    constexpr std::string_view kName = "JOBQ_JID=";
    std::string env;
    std::string path = "/proc/" + std::to_string(pid) + "/environ";
    if (!read_file(path.c_str(), env)) return "";
    std::string_view rest = env;
    while (!rest.empty()) {
        auto entry = rest.substr(0, rest.find('\0'));
        if (entry.starts_with(kName)) return std::string(entry.substr(kName.size()));
        rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    }
    return "";
}

bool reaped(int pid) {
    siginfo_t info{};
    return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

}  // namespace

void adopt_orphans() {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    // Who started us may have ignored it: then ended children vanish before they can be asked how.
    signal(SIGCHLD, SIG_DFL);
}

int sweep_orphans(const std::function<bool(const Orphan&)>& keep) {
    int killed = 0;
    for (int pid : children()) {
        if (known().contains(pid)) continue;
        bool was_ours = left().contains(pid);
        if (reaped(pid)) {
            left().erase(pid);
            continue;
        }
        if (was_ours) continue;
        Orphan orphan{pid, getsid(pid), jid_of(pid)};
        if (keep(orphan)) continue;
        kill(pid, SIGKILL);
        ++killed;
    }
    return killed;
}

void know_child(int pid) {
    known().insert(pid);
}

void forget_child(int pid) {
    known().erase(pid);
}

void leave_child(int pid) {
    known().erase(pid);
    left().insert(pid);
}

}  // namespace jobq
