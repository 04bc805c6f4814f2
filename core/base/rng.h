// A small seeded generator (splitmix64, public domain algorithm by S. Vigna). Never a global: who
// needs chance is given one, so tests and the simulator repeat.
#pragma once

#include <cstdint>

namespace jobq {

class Rng {
  public:
    explicit Rng(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    // 0 <= result < bound; bound > 0.
    uint64_t below(uint64_t bound) { return next() % bound; }

    // 0 <= result < 1
    double unit() { return double(next() >> 11) * 0x1.0p-53; }

  private:
    uint64_t state_;
};

}  // namespace jobq
