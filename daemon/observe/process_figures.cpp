#include "daemon/observe/process_figures.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

namespace jobq {
namespace {

double seconds(const timeval& time) {
    return double(time.tv_sec) + double(time.tv_usec) / 1e6;
}

double seconds(const timespec& time) {
    return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

// Bytes; both 0 when they can't be read.
void read_memory(int64_t& total, int64_t& resident) {
    total = resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file) return;
    long long all = 0, present = 0;
    if (std::fscanf(file, "%lld %lld", &all, &present) == 2) {
        total = all * int64_t(sysconf(_SC_PAGESIZE));
        resident = present * int64_t(sysconf(_SC_PAGESIZE));
    }
    std::fclose(file);
}

int64_t open_descriptors() {
    DIR* dir = opendir("/proc/self/fd");
    if (!dir) return 0;
    int64_t count = -3;  // ".", ".." and this directory
    while (readdir(dir))
        ++count;
    closedir(dir);
    return count;
}

// The time of day when it started: what the clock says now, less how long it runs.
double start_time() {
    std::FILE* file = std::fopen("/proc/self/stat", "re");
    if (!file) return 0;
    unsigned long long ticks = 0;  // field 22 of proc(5); our name holds no space
    int read = std::fscanf(file,
                           "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                           "%*d %*d %*d %*d %llu",
                           &ticks);
    std::fclose(file);
    if (read != 1) return 0;
    timespec boot{}, wall{};
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &wall);
    return seconds(wall) - (seconds(boot) - double(ticks) / double(sysconf(_SC_CLK_TCK)));
}

}  // namespace

ProcessFigures process_figures() {
    static const double started = start_time();
    ProcessFigures figures;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    figures.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    read_memory(figures.virtual_bytes, figures.resident_bytes);
    figures.descriptors = open_descriptors();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    figures.descriptors_limit = int64_t(limit.rlim_cur);
    figures.started_s = started;
    return figures;
}

int64_t resident_bytes() {
    int64_t total = 0, resident = 0;
    read_memory(total, resident);
    return resident;
}

}  // namespace jobq
