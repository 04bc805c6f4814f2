// What an external Redis's settings make of "stored". Never more than it has: what is not known, as
// the user may ask for no settings, is "unknown" and counts as memory.
#pragma once

#include <string>

#include "core/store/link/redis_link.h"

namespace jobq {

// The name of a durability, or "unknown". Asks CONFIG GET, and INFO when that is not permitted.
task<std::string> ask_durability(RedisLink& link);

}  // namespace jobq
