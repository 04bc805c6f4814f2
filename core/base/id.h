// Job ids that jobq makes: 128 bits, time-ordered, 26 characters of Crockford base 32 (ULID layout:
// 48 bits of milliseconds, 80 random bits; github.com/ulid/spec). Two ids made in the same
// millisecond by one maker stay in order: the random part is incremented.
//
//   01ARZ3NDEKTSV4RRFFQ69G5FAV
//   |--------||--------------|
//    time 48b    random 80b
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/rng.h"

namespace jobq {

class IdMaker {
  public:
    // Seeded from the system's random source.
    IdMaker();

    explicit IdMaker(uint64_t seed) : rng_(seed) {}

    std::string next(int64_t wall_ms);

  private:
    Rng rng_;
    int64_t last_ms_ = -1;
    uint64_t high_ = 0;  // 16 bits
    uint64_t low_ = 0;   // 64 bits
};

// When an id of that form was made; nothing for any other text.
std::optional<int64_t> id_time_ms(std::string_view id);

// 64 bits from the system's random source.
uint64_t random_u64();

}  // namespace jobq
