#include "daemon/loop/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace jobq {

std::optional<ProcessInfo> process_info(int pid) {
    char path[32], text[1024];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return std::nullopt;
    text[length] = '\0';
    // pid (name) state ppid pgrp session ...: the name may hold anything, so from the last bracket.
    const char* at = std::strrchr(text, ')');
    ProcessInfo info;
    info.id.pid = pid;
    char state = 0;
    if (at == nullptr ||
        std::sscanf(at, ") %c %d %d %d", &state, &info.parent, &info.group, &info.session) != 4)
        return std::nullopt;
    info.over = state == 'Z' || state == 'X';
    constexpr int kStartField = 22, kStateField = 3;
    for (int field = kStateField - 1; at != nullptr && field < kStartField; ++field)
        at = std::strchr(at + 1, ' ');
    if (at == nullptr) return std::nullopt;
    info.id.start = std::strtoull(at + 1, nullptr, 10);
    return info;
}

std::vector<ProcessInfo> descendants(int root) {
    std::unordered_map<int, std::vector<ProcessInfo>> by_parent;
    DIR* folder = opendir("/proc");
    if (folder == nullptr) return {};
    while (const dirent* entry = readdir(folder)) {
        const int pid = std::atoi(entry->d_name);
        if (pid <= 0) continue;
        if (auto info = process_info(pid)) by_parent[info->parent].push_back(*info);
    }
    closedir(folder);
    std::vector<ProcessInfo> found;
    std::vector<int> open{root};
    std::unordered_set<int> seen{root};  // numbers may be reused while we look
    while (!open.empty()) {
        const int parent = open.back();
        open.pop_back();
        for (const auto& child : by_parent[parent]) {
            if (!seen.insert(child.id.pid).second) continue;
            if (!child.over) found.push_back(child);
            open.push_back(child.id.pid);
        }
    }
    return found;
}

void signal_process(const ProcessId& id, int number) {
    const int fd = int(syscall(SYS_pidfd_open, id.pid, 0));
    if (fd < 0) return;
    // What the descriptor stands for can't change any more: is it the one that was meant?
    const auto info = process_info(id.pid);
    if (info && info->id == id) syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0);
    close(fd);
}

}  // namespace jobq
