// Durations, sizes and times as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace jobq {

// `by_ms` after `from_ms`, for numbers that come from outside: what would be beyond the year 9999
// is its end, and no sum overflows. Also of monotonic times.
inline int64_t later_ms(int64_t from_ms, int64_t by_ms) {
    int64_t sum = 0;
    if (__builtin_add_overflow(from_ms, by_ms, &sum)) return by_ms < 0 ? 0 : limits::kTimeMaxMs;
    return sum < limits::kTimeMaxMs ? sum : limits::kTimeMaxMs;
}

// "30s" "5m" "1h30m" "250ms" "2d"; a bare number is refused: it has no unit. Milliseconds, >= 0.
Result<int64_t> parse_duration_ms(std::string_view text);
// The shortest exact form: "1h30m", "250ms", "0s".
std::string format_duration(int64_t ms);
// "64KiB" "10MB" "1GiB" "512" (bytes).
Result<int64_t> parse_size_bytes(std::string_view text);

// RFC 3339 with offset and up to 9 fraction digits; milliseconds since the epoch, fraction floored.
Result<int64_t> parse_rfc3339_ms(std::string_view text);
// The same in microseconds.
Result<int64_t> parse_rfc3339_us(std::string_view text);
// UTC with milliseconds, trailing zeros cut: "2026-11-22T10:59:59.43Z".
std::string format_rfc3339(int64_t epoch_ms);
// UTC with microseconds, always six digits: "2026-11-22T10:59:59.430000Z".
std::string format_rfc3339_us(int64_t epoch_us);
// RFC 3339, or "in 5m" relative to `now_ms`.
Result<int64_t> parse_time_ms(std::string_view text, int64_t now_ms);

}  // namespace jobq
