// Durations, sizes and times as text: see time.h. Called at the edges only (CLI, configuration,
// protocol); inside jobq times are milliseconds but for what is measured in microseconds.
#include "core/base/time.h"

#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>

#include "core/base/text.h"

namespace jobq {
namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

struct Unit {
    std::string_view name;
    int64_t factor;
};

constexpr std::array kDurationUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                    Unit{"s", 1'000}, Unit{"ms", 1}};

constexpr std::array kSizeUnits{
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"kb", 1'000},
    Unit{"mb", 1'000'000},
    Unit{"gb", 1'000'000'000},
    Unit{"tb", 1'000'000'000'000},
    Unit{"kib", 1LL << 10},
    Unit{"mib", 1LL << 20},
    Unit{"gib", 1LL << 30},
    Unit{"tib", 1LL << 40},
};

// Takes the digits at the front of `text` off it; nothing when there are none or too many.
std::optional<int64_t> take_number(std::string_view& text) {
    size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        ++digits;
    auto value = parse_int(text.substr(0, digits));
    text.remove_prefix(digits);
    return value;
}

bool add_scaled(int64_t& sum, int64_t value, int64_t factor) {
    int64_t scaled = 0;
    return !__builtin_mul_overflow(value, factor, &scaled) &&
           !__builtin_add_overflow(sum, scaled, &sum);
}

std::string quoted(std::string_view text) {
    return "\"" + printable(text.substr(0, 80)) + "\"";
}

tl::unexpected<Error> not_a_duration(std::string_view text) {
    bool bare = !text.empty() && parse_int(text).value_or(-1) >= 0;
    return fail(ErrorCode::invalid,
                quoted(text) +
                    (bare ? " has no unit; use " + std::string(text) + "s, " + std::string(text) +
                                "ms or " + std::string(text) + "m"
                          : " is not a duration; use a form such as 30s, 5m, 1h30m, 250ms or 2d"));
}

tl::unexpected<Error> not_a_time(std::string_view text) {
    return fail(
        ErrorCode::invalid,
        quoted(text) +
            " is not a time; use a form such as 2026-11-22T10:59:59Z or 2026-11-22T11:59:59+01:00");
}

// Exactly `digits` digits, at the front of `text`, taken off it.
std::optional<int> take_digits(std::string_view& text, size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take_char(std::string_view& text, std::string_view allowed) {
    if (text.empty() || allowed.find(text[0]) == allowed.npos) return false;
    text.remove_prefix(1);
    return true;
}

// ".430000" as microseconds; no fraction is 0.
std::optional<int64_t> take_fraction_us(std::string_view& text) {
    if (!take_char(text, ".")) return 0;
    int64_t us = 0;
    size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits)
        if (digits < 6) us = us * 10 + (text[digits] - '0');
    if (digits == 0 || digits > 9) return std::nullopt;
    text.remove_prefix(digits);
    for (; digits < 6; ++digits)
        us *= 10;
    return us;
}

// "Z" or "+01:30" as milliseconds east of UTC.
std::optional<int64_t> take_offset_ms(std::string_view& text) {
    if (take_char(text, "Zz")) return 0;
    bool west = !text.empty() && text[0] == '-';
    if (!take_char(text, "+-")) return std::nullopt;
    auto hours = take_digits(text, 2);
    if (!hours || *hours > 23 || !take_char(text, ":")) return std::nullopt;
    auto minutes = take_digits(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    int64_t offset = (*hours * 60 + *minutes) * 60'000LL;
    return west ? -offset : offset;
}

// Microseconds since the epoch.
std::optional<int64_t> parse_time_us(std::string_view text) {
    auto y = take_digits(text, 4);
    if (!y || !take_char(text, "-")) return std::nullopt;
    auto mo = take_digits(text, 2);
    if (!mo || !take_char(text, "-")) return std::nullopt;
    auto d = take_digits(text, 2);
    if (!d || !take_char(text, "Tt ")) return std::nullopt;
    auto h = take_digits(text, 2);
    if (!h || *h > 23 || !take_char(text, ":")) return std::nullopt;
    auto mi = take_digits(text, 2);
    if (!mi || *mi > 59 || !take_char(text, ":")) return std::nullopt;
    auto s = take_digits(text, 2);
    if (!s || *s > 60) return std::nullopt;  // 60: a leap second
    auto fraction = take_fraction_us(text);
    if (!fraction) return std::nullopt;
    auto offset = take_offset_ms(text);
    if (!offset || !text.empty()) return std::nullopt;

    year_month_day date{year(*y), month(unsigned(*mo)), day(unsigned(*d))};
    if (!date.ok()) return std::nullopt;
    int64_t days = sys_days(date).time_since_epoch().count();
    int64_t seconds = ((days * 24 + *h) * 60 + *mi) * 60 + *s;
    return seconds * 1'000'000 + *fraction - *offset * 1000;
}

int64_t floored(int64_t value, int64_t by) {
    return value / by - (value % by < 0);
}

std::optional<int64_t> parse_time(std::string_view text) {
    auto us = parse_time_us(text);
    if (!us) return std::nullopt;
    return floored(*us, 1000);
}

// A UTC time up to its seconds; it may lie before the epoch.
std::string format_seconds(int64_t epoch_s) {
    int64_t days = epoch_s / 86'400, in_day = epoch_s % 86'400;
    if (in_day < 0) {
        in_day += 86'400;
        --days;
    }
    year_month_day date{sys_days(std::chrono::days(days))};
    char buffer[64];
    int length = std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d",
                               int(date.year()), unsigned(date.month()), unsigned(date.day()),
                               int(in_day / 3'600), int(in_day / 60 % 60), int(in_day % 60));
    return std::string(buffer, size_t(length));
}

// ".430000": `value` of `digits` digits behind the point.
std::string format_fraction(int64_t value, int digits) {
    char buffer[32];
    int length = std::snprintf(buffer, sizeof buffer, ".%0*d", digits, int(value));
    return std::string(buffer, size_t(length));
}

}  // namespace

Result<int64_t> parse_duration_ms(std::string_view text) {
    std::string_view rest = text;
    int64_t total = 0;
    size_t next_unit = 0;  // units come largest first, each at most once
    do {
        auto value = take_number(rest);
        size_t letters = 0;
        while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z')
            ++letters;
        std::string_view name = rest.substr(0, letters);
        rest.remove_prefix(letters);
        while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].name != name)
            ++next_unit;
        if (!value || next_unit == kDurationUnits.size() ||
            !add_scaled(total, *value, kDurationUnits[next_unit].factor))
            return not_a_duration(text);
        ++next_unit;
    } while (!rest.empty());
    return total;
}

std::string format_duration(int64_t ms) {
    if (ms == 0) return "0s";
    std::string out = ms < 0 ? "-" : "";
    uint64_t left = ms < 0 ? -uint64_t(ms) : uint64_t(ms);
    for (const auto& unit : kDurationUnits) {
        uint64_t count = left / uint64_t(unit.factor);
        if (count == 0) continue;
        out += std::to_string(count);
        out += unit.name;
        left %= uint64_t(unit.factor);
    }
    return out;
}

Result<int64_t> parse_size_bytes(std::string_view text) {
    std::string_view rest = text;
    auto value = take_number(rest);
    const std::string name = ascii_lower(rest);
    for (const auto& unit : kSizeUnits) {
        int64_t bytes = 0;
        if (value && unit.name == name && add_scaled(bytes, *value, unit.factor)) return bytes;
    }
    return fail(
        ErrorCode::invalid,
        quoted(text) + " is not a size; use a form such as 64KiB, 10MB, 1GiB or 512 (bytes)");
}

Result<int64_t> parse_rfc3339_ms(std::string_view text) {
    if (auto ms = parse_time(text)) return *ms;
    return not_a_time(text);
}

Result<int64_t> parse_rfc3339_us(std::string_view text) {
    if (auto us = parse_time_us(text)) return *us;
    return not_a_time(text);
}

std::string format_rfc3339(int64_t epoch_ms) {
    int64_t seconds = floored(epoch_ms, 1000);
    std::string out = format_seconds(seconds) + format_fraction(epoch_ms - seconds * 1000, 3);
    out.erase(out.find_last_not_of('0') + 1);
    if (out.back() == '.') out.pop_back();
    return out + 'Z';
}

std::string format_rfc3339_us(int64_t epoch_us) {
    int64_t seconds = floored(epoch_us, 1'000'000);
    return format_seconds(seconds) + format_fraction(epoch_us - seconds * 1'000'000, 6) + 'Z';
}

Result<int64_t> parse_time_ms(std::string_view text, int64_t now_ms) {
    if (text.starts_with("in ")) {
        auto delay = parse_duration_ms(trim(text.substr(3)));
        if (!delay) return tl::unexpected<Error>(delay.error());
        int64_t at = 0;
        if (__builtin_add_overflow(now_ms, *delay, &at)) return not_a_duration(text);
        return at;
    }
    if (auto ms = parse_time(text)) return *ms;
    return fail(
        ErrorCode::invalid,
        quoted(text) + " is not a time; use a form such as 2026-11-22T10:59:59Z or \"in 5m\"");
}

}  // namespace jobq
