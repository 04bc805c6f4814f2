// What this process uses, for INFO and stats.
#pragma once

#include <cstdint>

namespace jobq {

int64_t resident_bytes();

}  // namespace jobq
