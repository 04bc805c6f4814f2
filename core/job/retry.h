// When a failed job runs again. Pure: time and randomness come in.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/rng.h"

namespace jobq {

// Exponential back-off: base * factor^(n-1), capped, then spread by +-jitter.
struct Backoff {
    int64_t base_ms = 2'000;
    double factor = 2.0;
    int64_t max_ms = 600'000;
    double jitter = 0.2;  // 0..1, a share of the delay

    bool operator==(const Backoff&) const = default;
};

// Delay before the run that follows failure number `failures` (1-based).
int64_t backoff_delay_ms(const Backoff& backoff, int failures, Rng& rng);

// Faktory's curve, the default of jobs that name no policy: with count = failures so far less one,
// count^4 + 15 + rand(0..29) * (count + 1) seconds (reference: Faktory, manager/retry).
int64_t faktory_delay_ms(int failures, Rng& rng);

}  // namespace jobq
