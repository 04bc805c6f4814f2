#include "cli/terminal/show.h"

#include <cstdlib>

#include "cli/base/interrupt.h"

namespace jobq::cli {

std::string rounded(int64_t ms) {
    struct Unit {
        int64_t ms;
        const char* name;
    };

    constexpr Unit kUnits[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}};
    for (const auto& unit : kUnits)
        if (ms >= unit.ms) return std::to_string(ms / unit.ms) + unit.name;
    return std::to_string(ms) + "ms";
}

std::string uptime_words(int64_t seconds) {
    return seconds > 0 ? rounded(seconds * 1000) : "0s";
}

std::string age_words(const std::string& rfc3339) {
    const auto at = parse_rfc3339_ms(rfc3339);
    if (!at) return "-";
    return rounded(std::abs(wall_ms() - *at));
}

std::string when_words(const std::string& rfc3339) {
    if (rfc3339.empty()) return {};
    const auto at = parse_rfc3339_ms(rfc3339);
    if (!at) return printable(rfc3339);
    const int64_t ago = wall_ms() - *at;
    return rfc3339 + (ago >= 0 ? " (" + rounded(ago) + " ago)" : " (in " + rounded(-ago) + ")");
}

}  // namespace jobq::cli
