// Where a JSON value ends: the one scanner of JSON text in jobq. It knows strings by their quotes,
// objects and arrays by their brackets outside of strings, anything else by the next delimiter.
//
// Must stay true: of text that is not JSON it finds something or nothing, but never reads outside,
// and depth costs no stack.
#pragma once

#include <string>
#include <string_view>

namespace jobq::scan {

inline bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The first place from `at` on that is no white space; the size of `text` when there is none.
inline size_t skip_space(std::string_view text, size_t at) {
    while (at < text.size() && is_space(text[at]))
        ++at;
    return at;
}

// Behind the string, or the value, that begins at `at`.
inline size_t string_end(std::string_view text, size_t at) {
    size_t quote = 0;
    for (++at; at < text.size();) {
        if (quote < at) quote = text.find('"', at);
        if (quote == text.npos) return text.size();
        const size_t escape = text.substr(0, quote).find('\\', at);
        if (escape == text.npos) return quote + 1;
        at = escape + 2;
    }
    return text.size();
}

size_t value_end(std::string_view text, size_t at);

// What stands between the quotes of a string, its escapes replaced.
std::string unescaped(std::string_view inner);

// Calls see(key, value) for each member of the object `raw`, or each element of the array `raw`
// with an empty key, until it returns false; both are as they stand in the text, the key in its
// quotes.
template <class See>
void walk(std::string_view raw, See see) {
    const bool object = !raw.empty() && raw.front() == '{';
    size_t at = 1;
    while (true) {
        at = skip_space(raw, at);
        if (at >= raw.size() || raw[at] == '}' || raw[at] == ']') return;
        std::string_view key;
        if (object) {
            if (raw[at] != '"') return;
            const size_t end = string_end(raw, at);
            key = raw.substr(at, end - at);
            at = skip_space(raw, end);
            if (at >= raw.size() || raw[at] != ':') return;
            at = skip_space(raw, at + 1);
        }
        const size_t end = value_end(raw, at);
        if (end == at || !see(key, raw.substr(at, end - at))) return;
        at = skip_space(raw, end);
        if (at >= raw.size() || raw[at] != ',') return;
        ++at;
    }
}

}  // namespace jobq::scan
