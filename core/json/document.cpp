// The only file with simdjson. Its DOM parser and not its on-demand one: that does not validate
// what nobody asked for, and what is stored must be JSON as a whole.
#include "core/json/document.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/json/place.h"
#include "core/json/scan.h"

namespace jobq {
namespace {

// One parser per thread and depth, its tape kept for the next text.
simdjson::error_code parse_with(std::string_view text, int max_depth,
                                simdjson::dom::element& root) {
    thread_local std::array<simdjson::dom::parser, limits::kJsonDepth + 8> parsers;
    thread_local std::string padded;
    constexpr size_t kKeepBytes = 256 << 10;
    auto& parser = parsers.at(size_t(max_depth));
    size_t wanted = std::max<size_t>(text.size(), 4096);
    if (parser.capacity() < wanted || (parser.capacity() > kKeepBytes && wanted < kKeepBytes)) {
        auto failed = parser.allocate(wanted, size_t(max_depth));
        if (failed) return failed;
    }
    if (padded.capacity() > kKeepBytes && text.size() < kKeepBytes) padded = std::string();
    padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    padded.assign(text);
    return parser.parse(padded.data(), text.size(), false).get(root);
}

// As Go's encoder: plain digits for what is neither huge nor tiny.
void append_double(std::string& out, double value) {
    double size = std::fabs(value);
    bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
    char digits[64];
    auto [end, error] =
        std::to_chars(digits, digits + sizeof digits, value,
                      plain ? std::chars_format::fixed : std::chars_format::scientific);
    std::string_view text(digits, size_t(end - digits));
    size_t exponent = text.find("e-0");
    out += text.substr(0, exponent == text.npos ? exponent : exponent + 2);
    if (exponent != text.npos) out += text.substr(exponent + 3);
}

// Requires: an element of a checked text, so no deeper than limits::kJsonDepth and a little.
void append_go(std::string& out, simdjson::dom::element value) {
    using Type = simdjson::dom::element_type;
    bool first = true;
    auto comma = [&] {
        if (!std::exchange(first, false)) out += ',';
    };
    switch (value.type()) {
        case Type::ARRAY:
            out += '[';
            for (auto element : simdjson::dom::array(value)) {
                comma();
                append_go(out, element);
            }
            out += ']';
            break;
        case Type::OBJECT: {
            std::map<std::string_view, simdjson::dom::element> sorted;
            for (auto [key, element] : simdjson::dom::object(value))
                sorted.insert_or_assign(key, element);
            out += '{';
            for (const auto& [key, element] : sorted) {
                comma();
                out += json_quoted(key);
                out += ':';
                append_go(out, element);
            }
            out += '}';
            break;
        }
        case Type::STRING:
            out += json_quoted(std::string_view(value));
            break;
        case Type::DOUBLE:
            append_double(out, double(value));
            break;
        default:
            out += simdjson::minify(value);
    }
}

// Integers beyond 64 bits written as floating-point numbers, which Go takes them for. Requires:
// well-formed JSON.
std::string with_big_as_double(std::string_view text) {
    constexpr size_t kDigits = 19;  // of the largest that fits
    std::string out;
    for (size_t at = 0; at < text.size();) {
        char c = text[at];
        bool is_text = c == '"', is_number = c == '-' || (c >= '0' && c <= '9');
        size_t end = is_text     ? scan::string_end(text, at)
                     : is_number ? scan::value_end(text, at)
                                 : at + 1;
        std::string_view token = text.substr(at, end - at);
        out += token;
        if (is_number && token.size() >= kDigits && token.find_first_of(".eE") == token.npos)
            out += "e0";
        at = end;
    }
    return out;
}

std::string canonical_number(std::string_view number) {
    if (number.find_first_of(".eE") == number.npos)
        return number == "-0" ? "0" : std::string(number);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc()) return std::string(number);
    std::string out;
    append_double(out, value == 0 ? 0 : value);
    return out;
}

void append_canonical(std::string& out, std::string_view value) {
    const auto comma = [&out] {
        if (out.back() != '[' && out.back() != '{') out += ',';
    };
    const auto plain = [](std::string_view quoted) {
        return quoted.size() < 2 ? std::string()
                                 : scan::unescaped(quoted.substr(1, quoted.size() - 2));
    };
    if (value.empty()) return;
    if (value[0] == '{') {
        std::map<std::string, std::string_view> sorted;
        scan::walk(value, [&](std::string_view key, std::string_view member) {
            sorted.insert_or_assign(plain(key), member);
            return true;
        });
        out += '{';
        for (const auto& [key, member] : sorted) {
            comma();
            out += json_quoted(key) + ":";
            append_canonical(out, member);
        }
        out += '}';
    } else if (value[0] == '[') {
        out += '[';
        scan::walk(value, [&](std::string_view, std::string_view element) {
            comma();
            append_canonical(out, element);
            return true;
        });
        out += ']';
    } else if (value[0] == '"') {
        out += json_quoted(plain(value));
    } else if (value[0] == '-' || (value[0] >= '0' && value[0] <= '9')) {
        out += canonical_number(value);
    } else {
        out += value;
    }
}

// The code unit of the \u escape at `at`, or nothing.
std::optional<unsigned> unit_at(std::string_view text, size_t at) {
    unsigned unit = 0;
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
    const char* from = text.data() + at + 2;
    const auto [end, error] = std::from_chars(from, from + 4, unit, 16);
    if (error != std::errc() || end != from + 4) return std::nullopt;
    return unit;
}

}  // namespace

std::string canonical_json(std::string_view text) {
    std::string out;
    append_canonical(out, trim(text));
    return out;
}

std::string without_lone_surrogates(std::string text) {
    for (size_t at = text.find('\\'); at != text.npos; at = text.find('\\', at)) {
        const auto unit = unit_at(text, at);
        if (!unit || *unit < 0xD800 || *unit > 0xDFFF) {
            at += unit ? 6 : 2;
            continue;
        }
        const auto low = unit_at(text, at + 6);
        const bool pair = *unit <= 0xDBFF && low && *low >= 0xDC00 && *low <= 0xDFFF;
        if (!pair) text.replace(at, 6, "\\ufffd");
        at += pair ? 12 : 6;
    }
    return text;
}

Result<> check_json(std::string_view text, int max_depth) {
    if (scan::skip_space(text, 0) == text.size())
        return fail(ErrorCode::bad_data, "unexpected end of JSON input");
    simdjson::dom::element root;
    auto failed = parse_with(text, max_depth, root);
    if (failed == simdjson::DEPTH_ERROR)
        return fail(ErrorCode::too_large,
                    "JSON nested deeper than " + std::to_string(limits::kJsonDepth) + " levels");
    // Integers beyond 64 bits are JSON too, and kept as they came: simdjson does not say whether it
    // was one of those. To the other parser a NUL is the end.
    if (failed == simdjson::NUMBER_ERROR) {
        if (text.find('\0') == text.npos && !json_trouble(text, max_depth)) return {};
        return fail(ErrorCode::bad_data, "a number that is malformed or out of range");
    }
    if (failed == simdjson::UTF8_ERROR) return fail(ErrorCode::bad_data, "not valid UTF-8");
    if (failed) return fail(ErrorCode::bad_data, simdjson::error_message(failed));
    return {};
}

std::string go_json(std::string_view raw) {
    simdjson::dom::element root;
    constexpr int kDepth = limits::kJsonDepth + 2;
    auto failed = parse_with(raw, kDepth, root);
    if (failed == simdjson::NUMBER_ERROR)
        failed = parse_with(with_big_as_double(raw), kDepth, root);
    if (failed) return std::string(raw);
    std::string out;
    append_go(out, root);
    return out;
}

std::string compact_json(std::string_view text) {
    std::string compact(text.size() + simdjson::SIMDJSON_PADDING, '\0');
    size_t length = 0;
    if (simdjson::minify(text.data(), text.size(), compact.data(), length))
        return std::string(text);
    compact.resize(length);
    return compact;
}

}  // namespace jobq
