// See columns.h.
#include "cli/terminal/columns.h"

#include <clocale>
#include <cwchar>

namespace jobq::cli {
namespace {

// The locale of this thread is UTF-8 while one lives; null where the system has none.
class Utf8Locale {
  public:
    Utf8Locale() : before_(ours() != nullptr ? uselocale(ours()) : nullptr) {}

    ~Utf8Locale() {
        if (before_ != nullptr) uselocale(before_);
    }

    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

    explicit operator bool() const { return before_ != nullptr; }

  private:
    static locale_t ours() {
        static const locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        return made;
    }

    locale_t before_;
};

size_t bytes_of_character(std::string_view text, size_t at) {
    size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        ++end;
    return end - at;
}

size_t width_of(std::string_view character, bool utf8) {
    if (character.size() == 1 || !utf8) return 1;
    wchar_t wide = 0;
    std::mbstate_t state{};
    const size_t used = std::mbrtowc(&wide, character.data(), character.size(), &state);
    if (used != character.size()) return 1;
    const int width = wcwidth(wide);
    return width < 0 ? 1 : size_t(width);
}

struct Measured {
    size_t bytes = 0, columns = 0;
};

// What of `text` fits into `limit` columns.
Measured measure(std::string_view text, size_t limit) {
    const Utf8Locale locale;
    Measured sum;
    while (sum.bytes < text.size()) {
        const size_t bytes = bytes_of_character(text, sum.bytes);
        const size_t columns = width_of(text.substr(sum.bytes, bytes), bool(locale));
        if (sum.columns + columns > limit) break;
        sum.bytes += bytes;
        sum.columns += columns;
    }
    return sum;
}

// `text` itself, or its beginning with "…".
std::string shortened(std::string_view text, size_t columns) {
    if (columns_of(text) <= columns) return std::string(text);
    if (columns == 0) return {};
    return std::string(fit(text, columns - 1)) + "…";
}

}  // namespace

size_t columns_of(std::string_view text) {
    return measure(text, std::string_view::npos).columns;
}

std::string_view fit(std::string_view text, size_t columns) {
    return text.substr(0, measure(text, columns).bytes);
}

std::string cell(std::string_view text, size_t columns) {
    std::string whole = shortened(text, columns);
    whole.append(columns - columns_of(whole), ' ');
    return whole;
}

std::string right_cell(std::string_view text, size_t columns) {
    const std::string whole = shortened(text, columns);
    return std::string(columns - columns_of(whole), ' ') + whole;
}

}  // namespace jobq::cli
