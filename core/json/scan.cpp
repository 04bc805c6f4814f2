#include "core/json/scan.h"

#include <charconv>
#include <cstdint>
#include <optional>

namespace jobq::scan {
namespace {

void append_utf8(std::string& out, uint32_t code) {
    const auto put = [&out](uint32_t byte) { out.push_back(char(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

// The four hex digits at `at`; nullopt when they are not there.
std::optional<uint32_t> hex4(std::string_view text, size_t at) {
    if (at + 4 > text.size()) return std::nullopt;
    uint32_t value = 0;
    const char* end = text.data() + at + 4;
    const auto [stop, error] = std::from_chars(text.data() + at, end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return value;
}

// A \u escape whose digits start at `at`; `at` ends after it (and after its low surrogate).
uint32_t take_unicode(std::string_view text, size_t& at) {
    constexpr uint32_t kReplacement = 0xFFFD;
    const auto high = hex4(text, at);
    if (!high) return kReplacement;
    at += 4;
    if (*high < 0xD800 || *high > 0xDFFF) return *high;
    if (*high > 0xDBFF || text.substr(at, 2) != "\\u") return kReplacement;
    const auto low = hex4(text, at + 2);
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return kReplacement;
    at += 6;
    return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

}  // namespace

size_t value_end(std::string_view text, size_t at) {
    if (at >= text.size()) return at;
    if (text[at] == '"') return string_end(text, at);
    if (text[at] != '{' && text[at] != '[') {
        while (at < text.size() && text[at] != ',' && text[at] != ']' && text[at] != '}' &&
               !is_space(text[at]))
            ++at;
        return at;
    }
    size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = string_end(text, at);
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
        ++at;
    }
    return text.size();
}

std::string unescaped(std::string_view inner) {
    std::string out;
    out.reserve(inner.size());
    for (size_t at = 0; at < inner.size();) {
        if (inner[at] != '\\' || at + 1 >= inner.size()) {
            out.push_back(inner[at++]);
            continue;
        }
        const char escape = inner[at + 1];
        at += 2;
        switch (escape) {
            case 'b':
                out.push_back('\b');
                break;
            case 'f':
                out.push_back('\f');
                break;
            case 'n':
                out.push_back('\n');
                break;
            case 'r':
                out.push_back('\r');
                break;
            case 't':
                out.push_back('\t');
                break;
            case 'u':
                append_utf8(out, take_unicode(inner, at));
                break;
            default:
                out.push_back(escape);
        }
    }
    return out;
}

}  // namespace jobq::scan
