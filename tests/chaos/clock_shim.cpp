// A library for LD_PRELOAD: the wall clock of the process reads as many microseconds more as the
// file CHAOS_CLOCK_FILE says, an int64 that may change at any time. CLOCK_MONOTONIC stays true.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

int64_t offset_us() {
    static const volatile int64_t* const place = []() -> const int64_t* {
        const char* path = std::getenv("CHAOS_CLOCK_FILE");
        const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0) return nullptr;
        void* map = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        return map == MAP_FAILED ? nullptr : static_cast<const int64_t*>(map);
    }();
    return place ? *place : 0;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) {
    const int failed = int(syscall(SYS_clock_gettime, clock, now));
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (failed || !wall) return failed;
    const int64_t us = int64_t(now->tv_sec) * 1'000'000 + now->tv_nsec / 1000 + offset_us();
    now->tv_sec = us / 1'000'000;
    now->tv_nsec = us % 1'000'000 * 1000 + now->tv_nsec % 1000;
    return 0;
}

extern "C" int gettimeofday(timeval* now, void*) noexcept {
    timespec fine{};
    clock_gettime(CLOCK_REALTIME, &fine);
    *now = {fine.tv_sec, fine.tv_nsec / 1000};
    return 0;
}

extern "C" time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
