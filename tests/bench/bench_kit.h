// What the bench programs share: clocks, CPU time of a process, and one line of JSON per figure.
#pragma once

#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace jobq::bench {

inline double now_s() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

// User and system time so far, in seconds, of all threads. Nanosecond counters where the kernel
// has them (schedstat counts run time), as clock ticks are 10 ms.
inline double cpu_s(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/schedstat");
    uint64_t ran_ns = 0;
    file >> ran_ns;
    return double(ran_ns) / 1e9;
}

inline void print_figure(const nlohmann::json& figure) {
    std::printf("%s\n", figure.dump().c_str());
    std::fflush(stdout);
}

// The number that follows `--name` in the arguments, or `otherwise`.
inline int64_t option(int argc, char** argv, const std::string& name, int64_t otherwise) {
    for (int i = 1; i + 1 < argc; ++i)
        if (argv[i] == "--" + name) return std::stoll(argv[i + 1]);
    return otherwise;
}

inline std::string text_option(int argc, char** argv, const std::string& name,
                               const std::string& otherwise = "") {
    for (int i = 1; i + 1 < argc; ++i)
        if (argv[i] == "--" + name) return argv[i + 1];
    return otherwise;
}

}  // namespace jobq::bench
