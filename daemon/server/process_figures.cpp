#include "daemon/server/process_figures.h"

#include <unistd.h>

#include <cstdio>

namespace jobq {

int64_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (!file) return 0;
    long long total = 0, resident = 0;
    int read = std::fscanf(file, "%lld %lld", &total, &resident);
    std::fclose(file);
    return read == 2 ? resident * int64_t(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace jobq
