#include "core/json/view.h"

#include <charconv>

#include "core/json/scan.h"

namespace jobq {
namespace {

std::string_view inside_quotes(std::string_view raw) {
    return raw.size() < 2 ? std::string_view() : raw.substr(1, raw.size() - 2);
}

}  // namespace

JsonView::JsonView(std::string_view text) {
    const size_t start = scan::skip_space(text, 0);
    raw_ = text.substr(start, scan::value_end(text, start) - start);
}

JsonView JsonView::operator[](std::string_view key) const {
    JsonView found;
    if (!is_object()) return found;
    scan::walk(raw_, [&](std::string_view name, std::string_view value) {
        const std::string_view inner = inside_quotes(name);
        const bool escaped = inner.find('\\') != std::string_view::npos;
        if (escaped ? scan::unescaped(inner) != key : inner != key) return true;
        found.raw_ = value;
        return false;
    });
    return found;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
    std::vector<std::pair<std::string, JsonView>> all;
    if (!is_object()) return all;
    scan::walk(raw_, [&](std::string_view name, std::string_view value) {
        JsonView view;
        view.raw_ = value;
        all.emplace_back(scan::unescaped(inside_quotes(name)), view);
        return true;
    });
    return all;
}

std::vector<JsonView> JsonView::items() const {
    std::vector<JsonView> all;
    if (!is_array()) return all;
    scan::walk(raw_, [&](std::string_view, std::string_view value) {
        all.emplace_back().raw_ = value;
        return true;
    });
    return all;
}

std::string JsonView::text() const {
    if (is_string()) return scan::unescaped(inside_quotes(raw_));
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

}  // namespace jobq
