#include "cli/terminal/terminal_text.h"

#include <cstddef>

namespace jobq::cli {
namespace {

unsigned byte_at(std::string_view text, size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// The length of "ESC [ digits ; ... m" at `at`, 0 when there is none.
size_t colour_length(std::string_view text, size_t at) {
    if (byte_at(text, at + 1) != '[') return 0;
    size_t end = at + 2;
    while ((byte_at(text, end) >= '0' && byte_at(text, end) <= '9') || byte_at(text, end) == ';' ||
           byte_at(text, end) == ':')
        ++end;
    return byte_at(text, end) == 'm' ? end + 1 - at : 0;
}

// Three bytes of UTF-8: U+200E, U+200F, U+202A..U+202E, U+2066..U+2069.
bool turns(std::string_view text, size_t at) {
    if (byte_at(text, at) != 0xE2) return false;
    const unsigned second = byte_at(text, at + 1), third = byte_at(text, at + 2);
    if (second == 0x80) return third == 0x8E || third == 0x8F || (third >= 0xAA && third <= 0xAE);
    return second == 0x81 && third >= 0xA6 && third <= 0xA9;
}

}  // namespace

std::string for_terminal(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        const unsigned c = byte_at(text, i);
        if (const size_t colour = c == 0x1B ? colour_length(text, i) : 0; colour > 0) {
            out.append(text, i, colour);
            i += colour - 1;
        } else if (turns(text, i)) {
            i += 2;
        } else if ((c == 0xC2 && byte_at(text, i + 1) >= 0x80 && byte_at(text, i + 1) < 0xA0) ||
                   (c == 0xD8 && byte_at(text, i + 1) == 0x9C)) {
            ++i;  // C1 controls; the Arabic letter mark
        } else if (c == '\n' || c == '\t' || c == '\r' || (c >= 0x20 && c != 0x7F)) {
            out += char(c);
        }
    }
    return out;
}

}  // namespace jobq::cli
