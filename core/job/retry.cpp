#include "core/job/retry.h"

#include <algorithm>
#include <cmath>

namespace jobq {

int64_t backoff_delay_ms(const Backoff& backoff, int failures, Rng& rng) {
    double delay = double(backoff.base_ms) * std::pow(backoff.factor, std::max(failures - 1, 0));
    delay = std::min(delay, double(backoff.max_ms));
    delay *= 1.0 + backoff.jitter * (2.0 * rng.unit() - 1.0);
    return std::max<int64_t>(0, std::llround(delay));
}

int64_t faktory_delay_ms(int failures, Rng& rng) {
    // Beyond it is centuries, and count^4 would overflow.
    int64_t count = std::clamp(failures - 1, 0, 2'000);
    int64_t seconds = count * count * count * count + 15 + int64_t(rng.below(30)) * (count + 1);
    return seconds * 1000;
}

}  // namespace jobq
