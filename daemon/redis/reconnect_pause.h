// ReconnectPause: how long to wait before the next try. Doubles from min to max, each with a jitter
// of a quarter, so that many clients of one Redis do not come back in step.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/rng.h"

namespace jobq {

class ReconnectPause {
  public:
    ReconnectPause(uint64_t seed, int64_t min_ms, int64_t max_ms)
        : rng_(seed), min_ms_(min_ms), max_ms_(max_ms), next_ms_(min_ms) {}

    int64_t next_ms() {
        int64_t base = next_ms_;
        next_ms_ = std::min(max_ms_, next_ms_ * 2);
        int64_t spread = std::max<int64_t>(1, base / 4);
        return base + int64_t(rng_.below(uint64_t(spread)));
    }

    void reset() { next_ms_ = min_ms_; }

  private:
    Rng rng_;
    int64_t min_ms_, max_ms_, next_ms_;
};

}  // namespace jobq
