#include "cli/line/args.h"

#include "cli/base/interrupt.h"
#include "core/base/text.h"
#include "core/base/time.h"

namespace jobq::cli {

const std::vector<std::string>& Args::all(std::string_view name) const {
    const auto found = options.find(name);
    JOBQ_CHECK(found != options.end());
    return found->second;
}

bool Args::has(std::string_view name) const {
    return !all(name).empty();
}

const std::string& Args::text(std::string_view name) const {
    static const std::string none;
    const auto& values = all(name);
    return values.empty() ? none : values.back();
}

Answer<std::optional<int64_t>> Args::number(std::string_view name, int64_t least,
                                            int64_t most) const {
    if (!has(name)) return std::nullopt;
    const auto value = parse_int(text(name));
    if (value && *value >= least && *value <= most) return value;
    return give_up(kUsage, std::string(name) + ": '" + printable(text(name)) +
                               "' is not a whole number from " + std::to_string(least) + " to " +
                               std::to_string(most));
}

Answer<std::optional<int64_t>> Args::duration_ms(std::string_view name) const {
    if (!has(name)) return std::nullopt;
    const auto value = parse_duration_ms(text(name));
    if (value) return *value;
    return give_up(kUsage, std::string(name) + ": " + value.error().text,
                   "durations look like 30s, 5m, 1h30m, 250ms");
}

Answer<std::optional<int64_t>> Args::time_ms(std::string_view name) const {
    if (!has(name)) return std::nullopt;
    const auto value = parse_time_ms(text(name), wall_ms());
    if (value) return *value;
    return give_up(kUsage, std::string(name) + ": " + value.error().text,
                   "times look like 2026-11-22T18:30:00Z, 2026-11-22T18:30:00+01:00 or 'in 5m'");
}

}  // namespace jobq::cli
