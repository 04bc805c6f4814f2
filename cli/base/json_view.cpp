// The scanner below knows only where a value ends: strings by their quotes, objects and arrays by
// counting brackets outside of strings, anything else by the next delimiter.
#include "cli/base/json_view.h"

#include <charconv>

namespace jobq::cli {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

size_t skip_space(std::string_view text, size_t at) {
    const size_t found = text.find_first_not_of(kSpace, at);
    return found == std::string_view::npos ? text.size() : found;
}

// `at` is on the opening quote; the result is after the closing one (or the end).
size_t skip_string(std::string_view text, size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            return at + 1;
        }
    }
    return text.size();
}

size_t skip_value(std::string_view text, size_t at) {
    if (at >= text.size()) return at;
    if (text[at] == '"') return skip_string(text, at);
    if (text[at] != '{' && text[at] != '[') {
        const size_t end = text.find_first_of(",]} \t\r\n", at);
        return end == std::string_view::npos ? text.size() : end;
    }
    size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
        ++at;
    }
    return text.size();
}

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

// `inner` is what stands between the quotes.
std::string unescape(std::string_view inner) {
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

// Calls `see(key_raw, value_raw)` for each member or element until it returns false. `raw` is an
// object or an array.
template <class See>
void walk(std::string_view raw, See see) {
    const bool object = raw.front() == '{';
    size_t at = 1;
    while (true) {
        at = skip_space(raw, at);
        if (at >= raw.size() || raw[at] == '}' || raw[at] == ']') return;
        std::string_view key;
        if (object) {
            if (raw[at] != '"') return;
            const size_t end = skip_string(raw, at);
            key = raw.substr(at, end - at);
            at = skip_space(raw, end);
            if (at >= raw.size() || raw[at] != ':') return;
            at = skip_space(raw, at + 1);
        }
        const size_t end = skip_value(raw, at);
        if (end == at || !see(key, raw.substr(at, end - at))) return;
        at = skip_space(raw, end);
        if (at >= raw.size() || raw[at] != ',') return;
        ++at;
    }
}

std::string_view inside_quotes(std::string_view raw) {
    return raw.size() < 2 ? std::string_view() : raw.substr(1, raw.size() - 2);
}

}  // namespace

JsonView::JsonView(std::string_view text) {
    const size_t start = skip_space(text, 0);
    raw_ = text.substr(start, skip_value(text, start) - start);
}

JsonView JsonView::operator[](std::string_view key) const {
    JsonView found;
    if (!is_object()) return found;
    walk(raw_, [&](std::string_view name, std::string_view value) {
        const std::string_view inner = inside_quotes(name);
        const bool escaped = inner.find('\\') != std::string_view::npos;
        if (escaped ? unescape(inner) != key : inner != key) return true;
        found.raw_ = value;
        return false;
    });
    return found;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
    std::vector<std::pair<std::string, JsonView>> all;
    if (!is_object()) return all;
    walk(raw_, [&](std::string_view name, std::string_view value) {
        JsonView view;
        view.raw_ = value;
        all.emplace_back(unescape(inside_quotes(name)), view);
        return true;
    });
    return all;
}

std::vector<JsonView> JsonView::items() const {
    std::vector<JsonView> all;
    if (!is_array()) return all;
    walk(raw_, [&](std::string_view, std::string_view value) {
        all.emplace_back().raw_ = value;
        return true;
    });
    return all;
}

std::string JsonView::text() const {
    if (is_string()) return unescape(inside_quotes(raw_));
    return raw_ == "null" ? std::string() : std::string(raw_);
}

std::optional<int64_t> JsonView::maybe_number() const {
    int64_t value = 0;
    const char* end = raw_.data() + raw_.size();
    const auto [stop, error] = std::from_chars(raw_.data(), end, value);
    if (raw_.empty() || error != std::errc()) return std::nullopt;
    return value;
}

int64_t JsonView::number(int64_t otherwise) const {
    return maybe_number().value_or(otherwise);
}

}  // namespace jobq::cli
