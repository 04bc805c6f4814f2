// Text helpers: see text.h. On the hot path are is_utf8 and append_json_escaped (each enqueue, each
// reply): both pass over plain ASCII without looking at characters one by one where they can.
#include "core/base/text.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <numeric>

namespace jobq {
namespace {

unsigned byte_at(std::string_view text, size_t at) {
    return static_cast<unsigned char>(text[at]);
}

bool is_tail(unsigned byte) {
    return (byte & 0xC0) == 0x80;
}

// Length of the well-formed character that starts at `at` (Unicode 15, table 3-7); 0: there is
// none.
size_t utf8_length(std::string_view text, size_t at) {
    unsigned lead = byte_at(text, at);
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return 0;
    unsigned second = byte_at(text, at + 1);
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < low || second > high) return 0;
    for (size_t i = 2; i < length; ++i)
        if (!is_tail(byte_at(text, at + i))) return 0;
    return length;
}

// Start of the first byte at or after `at` that is not plain ASCII, eight at a time.
size_t skip_ascii(std::string_view text, size_t at) {
    for (; text.size() - at >= 8; at += 8) {
        uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        if (word & 0x8080808080808080ULL) break;
    }
    while (at < text.size() && byte_at(text, at) < 0x80)
        ++at;
    return at;
}

// The same for the first byte at or after `at` that JSON escapes.
size_t skip_unescaped(std::string_view text, size_t at) {
    constexpr uint64_t kOnes = 0x0101010101010101ULL, kHighs = 0x8080808080808080ULL;
    auto zero_byte = [](uint64_t word) { return (word - kOnes) & ~word & kHighs; };
    for (; text.size() - at >= 8; at += 8) {
        uint64_t word;
        std::memcpy(&word, text.data() + at, 8);
        const uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
        if (control | zero_byte(word ^ kOnes * '"') | zero_byte(word ^ kOnes * '\\')) break;
    }
    for (; at < text.size(); ++at) {
        const unsigned c = byte_at(text, at);
        if (c < 0x20 || c == '"' || c == '\\') break;
    }
    return at;
}

constexpr char kHexDigits[] = "0123456789abcdef";

// The class after '[' at pattern[p]: whether it holds `c`; `p` moves behind its ']'. A class that
// never closes ends with the pattern.
bool class_holds(std::string_view pattern, size_t& p, unsigned c) {
    bool negated = p < pattern.size() && pattern[p] == '^';
    if (negated) ++p;
    bool found = false;
    for (; p < pattern.size() && pattern[p] != ']'; ++p) {
        if (pattern[p] == '\\' && p + 1 < pattern.size()) {
            found |= byte_at(pattern, ++p) == c;
        } else if (p + 2 < pattern.size() && pattern[p + 1] == '-') {
            unsigned first = byte_at(pattern, p), last = byte_at(pattern, p + 2);
            found |= std::min(first, last) <= c && c <= std::max(first, last);
            p += 2;
        } else {
            found |= byte_at(pattern, p) == c;
        }
    }
    if (p < pattern.size()) ++p;
    return found != negated;
}

// Letters put in, left out, replaced, or two neighbours swapped.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t(0));
    for (size_t i = 1; i <= a.size(); ++i) {
        before.swap(last);
        last.swap(row);
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

// Length of the terminal escape sequence that starts with ESC at text[at].
size_t escape_length(std::string_view text, size_t at) {
    size_t end = at + 1;
    if (end == text.size()) return 1;
    char kind = text[end++];
    if (kind == '[') {
        while (end < text.size() && (byte_at(text, end) < 0x40 || byte_at(text, end) > 0x7E))
            ++end;
        if (end < text.size()) ++end;
    } else if (kind == ']' || kind == 'P' || kind == '^' || kind == '_') {
        while (end < text.size() && text[end] != '\a' && text[end] != '\x1b')
            ++end;
        if (end < text.size() && text[end] == '\a') ++end;
        if (text.substr(end, 2) == "\x1b\\") end += 2;
    }
    return end - at;
}

}  // namespace

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c + ('a' - 'A'));
    return out;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    size_t first = text.find_first_not_of(kSpace);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (size_t start = 0;;) {
        size_t end = text.find(separator, start);
        parts.push_back(text.substr(start, end == text.npos ? text.npos : end - start));
        if (end == text.npos) return parts;
        start = end + 1;
    }
}

std::optional<int64_t> parse_int(std::string_view text) {
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_utf8(std::string_view text) {
    for (size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
        size_t length = utf8_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

size_t unfinished_utf8(std::string_view text) {
    size_t most = std::min<size_t>(3, text.size());
    for (size_t n = 1; n <= most; ++n) {
        auto lead = static_cast<unsigned char>(text[text.size() - n]);
        if ((lead & 0xC0U) == 0x80U) continue;
        size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        return length > n ? n : 0;
    }
    return 0;
}

std::string_view utf8_prefix(std::string_view text, size_t bytes) {
    if (text.size() <= bytes) return text;
    // A character has at most three tail bytes; more are no character to keep whole.
    size_t end = bytes;
    for (int i = 0; i < 3 && end > 0 && is_tail(byte_at(text, end)); ++i)
        --end;
    return text.substr(0, is_tail(byte_at(text, end)) ? bytes : end);
}

std::string to_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (size_t at = 0; at < bytes.size();) {
        size_t length = utf8_length(bytes, at);
        if (length > 0) {
            out.append(bytes.substr(at, length));
            at += length;
            continue;
        }
        out += "\xEF\xBF\xBD";
        ++at;
    }
    return out;
}

void append_json_escaped(std::string& out, std::string_view text) {
    size_t plain = 0;
    for (size_t i = skip_unescaped(text, 0); i < text.size(); i = skip_unescaped(text, plain)) {
        const unsigned c = byte_at(text, i);
        out.append(text, plain, i - plain);
        plain = i + 1;
        out += '\\';
        switch (c) {
            case '"':
            case '\\':
                out += char(c);
                break;
            case '\n':
                out += 'n';
                break;
            case '\r':
                out += 'r';
                break;
            case '\t':
                out += 't';
                break;
            case '\b':
                out += 'b';
                break;
            case '\f':
                out += 'f';
                break;
            default:
                out += "u00";
                out += kHexDigits[c >> 4];
                out += kHexDigits[c & 15];
        }
    }
    out.append(text, plain, text.npos);
}

std::string json_quoted(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    out += '"';
    append_json_escaped(out, text);
    out += '"';
    return out;
}

std::string hex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (size_t i = 0; i < bytes.size(); ++i) {
        out += kHexDigits[byte_at(bytes, i) >> 4];
        out += kHexDigits[byte_at(bytes, i) & 15];
    }
    return out;
}

// Greedy with one point to go back to, the last '*': linear in practice, never exponential.
bool glob_match(std::string_view pattern, std::string_view text) {
    size_t p = 0, t = 0, star = pattern.npos, star_text = 0;
    while (true) {
        while (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_text = t;
        }
        if (t == text.size()) return p == pattern.size();
        size_t next = p;
        bool same = false;
        if (p < pattern.size()) {
            unsigned c = byte_at(text, t);
            ++next;
            if (pattern[p] == '?') {
                same = true;
            } else if (pattern[p] == '[') {
                same = class_holds(pattern, next, c);
            } else {
                if (pattern[p] == '\\' && next < pattern.size()) ++next;
                same = byte_at(pattern, next - 1) == c;
            }
        }
        if (same) {
            p = next;
            ++t;
        } else if (star != pattern.npos) {
            p = star;
            t = ++star_text;
        } else {
            return false;
        }
    }
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
    std::string_view best;
    size_t best_distance = word.size() / 3 + 2;  // one slip in a short word, more in a long one
    for (auto candidate : candidates) {
        size_t distance = edit_distance(word, candidate);
        if (distance >= best_distance || distance >= candidate.size()) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

namespace {

// Of a character that turns the direction of the text behind it, so that a name looks like another:
// U+061C, U+200E, U+200F, U+202A..U+202E, U+2066..U+2069. Requires: well-formed UTF-8.
size_t turn_length(std::string_view text, size_t at) {
    const unsigned first = byte_at(text, at);
    if (first == 0xD8) return byte_at(text, at + 1) == 0x9C ? 2 : 0;
    if (first != 0xE2) return 0;
    const unsigned second = byte_at(text, at + 1), third = byte_at(text, at + 2);
    const bool mark = second == 0x80 && (third == 0x8E || third == 0x8F);
    const bool embeds = second == 0x80 && third >= 0xAA && third <= 0xAE;
    const bool isolates = second == 0x81 && third >= 0xA6 && third <= 0xA9;
    return mark || embeds || isolates ? 3 : 0;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string clean = to_utf8(text), out;
    out.reserve(clean.size());
    for (size_t i = 0; i < clean.size(); ++i) {
        unsigned c = byte_at(clean, i);
        if (c == 0x1B) {
            i += escape_length(clean, i) - 1;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            out += ' ';
        } else if (c == 0xC2 && byte_at(clean, i + 1) < 0xA0) {
            ++i;  // U+0080..U+009F: control characters of eight bits, CSI among them
        } else if (const size_t turn = turn_length(clean, i); turn > 0) {
            i += turn - 1;
        } else if (c == 0xE2 && byte_at(clean, i + 1) == 0x80 &&
                   (byte_at(clean, i + 2) == 0xA8 || byte_at(clean, i + 2) == 0xA9)) {
            out += ' ';  // U+2028, U+2029: they end lines
            i += 2;
        } else if (c >= 0x20 && c != 0x7F) {
            out += char(c);
        }
    }
    return out;
}

}  // namespace jobq
