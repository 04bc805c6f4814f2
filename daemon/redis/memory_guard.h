// MemoryGuard: refuses new jobs before Redis does. Redis at its limit refuses the scripts that add
// jobs, in the middle of a burst and with what is on its way; the others are allowed to run on, so
// that it drains. This one stops at nine tenths, whoever set the limit: [redis] max_memory of the
// private Redis, or the administrator of an external one.
//
// Part of Storage, which asks Redis for the figures, at most once a second, and only while somebody
// writes. In between it counts what it lets through.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/store/storage_gate.h"

namespace jobq {

// Of INFO memory, in bytes.
struct RedisMemory {
    int64_t used = 0;     // as compared with the limit
    int64_t limit = 0;    // 0: none
    int64_t data = 0;     // at most so much is there to be saved
    bool evicts = false;  // its policy deletes keys when it is full: it may delete jobs
};

std::optional<RedisMemory> parse_info_memory(std::string_view info);

class MemoryGuard {
  public:
    // For adds alone.
    std::optional<Error> refuse(size_t bytes);
    void take(const RedisMemory& memory);

    // Redis refused a script for it: it knows better.
    void redis_refused() { full_ = memory_.limit > 0; }

    bool full() const { return full_; }

    // By its own count the limit may be near: the figures are wanted now.
    bool uncertain() const { return memory_.limit > 0 && expected() >= stop_at(); }

    std::string text() const;
    void fill_in(StorageStatus& status) const;

  private:
    int64_t stop_at() const { return memory_.limit / 10 * 9; }

    int64_t expected() const { return memory_.used + added_ + added_ / 2; }

    RedisMemory memory_;
    int64_t added_ = 0;  // since the figures came
    bool full_ = false;
    bool refused_ = false;  // since then, by its own count, which is on the safe side
};

}  // namespace jobq
