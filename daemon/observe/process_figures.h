// What /proc says of this process: for `stats`, INFO and /metrics.
#pragma once

#include <cstdint>

namespace jobq {

struct ProcessFigures {
    double cpu_s = 0;  // user and system, of all threads
    int64_t resident_bytes = 0, virtual_bytes = 0;
    int64_t descriptors = 0, descriptors_limit = 0;
    double started_s = 0;  // Unix time
};

ProcessFigures process_figures();
int64_t resident_bytes();

}  // namespace jobq
