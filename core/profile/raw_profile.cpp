#include "core/profile/raw_profile.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "core/base/text.h"

namespace jobq {
namespace {

tl::unexpected<Error> unreadable(const char* why) {
    return fail(ErrorCode::corrupt, std::string("the profile can't be read: ") + why);
}

std::optional<uint64_t> parse_hex(std::string_view text) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, 16);
    if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
    return value;
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    for (const auto word : split(line, ' '))
        if (!word.empty()) words.push_back(word);
    return words;
}

// Lines of /proc/PID/maps; only files that hold code.
std::vector<Mapping> parse_map(std::string_view text) {
    std::vector<Mapping> map;
    for (const auto line : split(text, '\n')) {
        const auto words = words_of(line);
        if (words.size() < 6 || words[1].find('x') == std::string_view::npos) continue;
        const size_t dash = words[0].find('-');
        if (dash == std::string_view::npos || words[5].front() != '/') continue;
        const auto start = parse_hex(words[0].substr(0, dash));
        const auto end = parse_hex(words[0].substr(dash + 1));
        const auto offset = parse_hex(words[2]);
        if (!start || !end || !offset) continue;
        // A path may have spaces.
        const auto path = line.substr(size_t(words[5].data() - line.data()));
        map.push_back({*start, *end, *offset, plain_path(path)});
    }
    return map;
}

// Words of 64 bits: a header that says its own length, then for each stack how often it was met and
// how deep it is; a stack of the single address 0 ends them. The map follows as text.
Result<RawProfile> parse_cpu(std::string_view bytes) {
    size_t at = 0;
    const auto left = [&] { return (bytes.size() - at) / sizeof(uint64_t); };
    const auto next = [&] {
        uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        at += sizeof word;
        return word;
    };
    if (left() < 5 || next() != 0) return unreadable("no header");
    const uint64_t more = next();
    if (more < 3 || more > left()) return unreadable("a header of an invalid length");
    RawProfile profile;
    next();  // the version
    profile.period_us = int64_t(next());
    at += (more - 2) * sizeof(uint64_t);
    while (true) {
        if (left() < 3) return unreadable("it is cut off");
        const uint64_t count = next();
        const uint64_t depth = next();
        if (depth == 0 || depth > left()) return unreadable("a stack of an invalid depth");
        RawStack stack;
        stack.value = double(count);
        for (uint64_t i = 0; i < depth; ++i)
            stack.addresses.push_back(next());
        if (count == 0 && depth == 1 && stack.addresses.front() == 0) break;
        profile.stacks.push_back(std::move(stack));
    }
    profile.map = parse_map(bytes.substr(at));
    return profile;
}

// "heap_v2/RATE", then for each stack a line "@ 0x.. 0x.." and one "t*: OBJECTS: BYTES [...]" with
// what was sampled of it. Each sample stands for more: an allocation of S bytes is sampled with the
// probability 1 - exp(-S/RATE).
Result<RawProfile> parse_heap(std::string_view bytes) {
    const size_t map_at = bytes.find("MAPPED_LIBRARIES:");
    const auto lines = split(bytes.substr(0, map_at), '\n');
    constexpr std::string_view kHead = "heap_v2/";
    if (lines.empty() || !lines.front().starts_with(kHead)) return unreadable("no header");
    const auto rate = parse_int(lines.front().substr(kHead.size()));
    if (!rate || *rate <= 0) return unreadable("no sample rate");
    RawProfile profile;
    profile.heap = true;
    RawStack stack;
    for (const auto line : lines) {
        auto words = words_of(line);
        if (words.empty()) continue;
        if (words.front() == "@") {
            stack = {};
            for (size_t i = 1; i < words.size(); ++i)
                stack.addresses.push_back(parse_hex(words[i]).value_or(0));
        } else if (words.front() == "t*:" && words.size() >= 3 && !stack.addresses.empty()) {
            const auto count = parse_int(words[1].substr(0, words[1].size() - 1));
            const auto size = parse_int(words[2]);
            if (!count || !size) return unreadable("a stack without its size");
            if (*count <= 0) continue;
            const double mean = double(*size) / double(*count);
            stack.value = double(*size) / (1 - std::exp(-mean / double(*rate)));
            profile.stacks.push_back(stack);
        }
    }
    if (map_at != std::string_view::npos) profile.map = parse_map(bytes.substr(map_at));
    return profile;
}

}  // namespace

std::string plain_path(std::string_view path) {
    constexpr std::string_view kGone = " (deleted)";
    if (path.ends_with(kGone)) path.remove_suffix(kGone.size());
    return std::string(path);
}

uint64_t call_address(const RawProfile& profile, const RawStack& stack, size_t i) {
    const bool exact = i == 0 && !profile.heap;
    return stack.addresses[i] - (exact ? 0 : 1);
}

Result<RawProfile> parse_profile(std::string_view format, std::string_view bytes) {
    if (format == "gperftools-cpu") return parse_cpu(bytes);
    if (format == "jemalloc-heap") return parse_heap(bytes);
    return unreadable("this version does not know its format");
}

}  // namespace jobq
