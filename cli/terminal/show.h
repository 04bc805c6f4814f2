// How times and ages look in text output.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::cli {

// "2026-11-22T10:59:59.43Z (5m ago)", "... (in 5m)"; "" for "".
std::string when_words(const std::string& rfc3339);
// "5m", "3h", "2d": the age or the time to come, rounded to one unit; "-" when there is no time.
std::string age_words(const std::string& rfc3339);
// A duration rounded to its largest unit: "59s", "3h", "120ms".
std::string rounded(int64_t ms);
// The same of whole seconds, none of which is "0s".
std::string uptime_words(int64_t seconds);

}  // namespace jobq::cli
