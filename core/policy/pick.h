// In which order a pool tries its queues. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/config/config.h"

namespace jobq {

// Strict: as configured, an earlier queue always first. Weighted: a new draw each time, a queue of
// weight 6 comes before one of weight 3 twice out of three times; none is ever left out.
std::vector<std::string> pick_order(const std::vector<QueueWeight>& queues, bool strict, Rng& rng);

}  // namespace jobq
