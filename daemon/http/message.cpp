#include "daemon/http/message.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/net/url.h"

namespace jobq {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* HttpRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (same_word(key, name)) return &value;
    return nullptr;
}

size_t HttpRequest::count(std::string_view name) const {
    return size_t(std::count_if(headers.begin(), headers.end(),
                                [&](const auto& field) { return same_word(field.first, name); }));
}

void set_target(HttpRequest& request, std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!same_word(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        const size_t end = std::min(target.find_first_of("/?"), target.size());
        request.authority = target.substr(0, end);
        target.remove_prefix(end);
        break;
    }
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (request.path.empty() && request.authority) request.path = "/";
    if (mark != target.npos) request.query = target.substr(mark + 1);
}

bool has_header(const HttpResponse& response, std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [name](const auto& field) { return same_word(field.first, name); });
}

Result<std::string> decoded_part(std::string_view text, bool plus_is_space) {
    std::string spaced(text);
    if (plus_is_space) std::replace(spaced.begin(), spaced.end(), '+', ' ');
    auto out = percent_decoded(spaced);
    if (!out || out->find('\0') != out->npos)
        return fail(ErrorCode::invalid, "the address contains a \"%\" that is not an escape");
    if (!is_utf8(*out)) return fail(ErrorCode::invalid, "the address is not UTF-8");
    return *out;
}

Result<HttpFields> parse_query(std::string_view query) {
    HttpFields fields;
    for (std::string_view part : split(query, '&')) {
        if (part.empty()) continue;
        size_t equals = part.find('=');
        auto key = decoded_part(part.substr(0, equals), true);
        auto value = decoded_part(equals == part.npos ? "" : part.substr(equals + 1), true);
        if (!key) return tl::unexpected<Error>(key.error());
        if (!value) return tl::unexpected<Error>(value.error());
        fields.emplace_back(std::move(*key), std::move(*value));
    }
    return fields;
}

}  // namespace jobq
