#include "core/net/url.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/text.h"
#include "core/net/bad_address.h"

namespace jobq {
namespace {

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

bool is_scheme_char(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '+' || c == '-' || c == '.';
}

Result<Login> read_login(std::string_view text) {
    const size_t colon = text.find(':');
    auto user = percent_decoded(text.substr(0, colon));
    std::optional<std::string> password;
    if (colon != text.npos) password = percent_decoded(text.substr(colon + 1));
    if (!user || (colon != text.npos && !password))
        return bad_address(
            "its user or password has a % that begins no %XX; write % itself as %25");
    return Login{std::move(*user), std::move(password)};
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        if (at + 2 >= text.size()) return std::nullopt;
        const auto high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
        if (!high || !low) return std::nullopt;
        out += char(*high * 16 + *low);
        at += 2;
    }
    return out;
}

Result<Url> parse_url(std::string_view text, AtSign at_sign) {
    if (std::any_of(text.begin(), text.end(), is_control))
        return bad_address("it contains a control character");
    const size_t colon = text.find("://");
    Url url;
    if (colon != text.npos) url.scheme = ascii_lower(text.substr(0, colon));
    if (url.scheme.empty() || !std::all_of(url.scheme.begin(), url.scheme.end(), is_scheme_char))
        return bad_address("it does not begin with a scheme and ://");
    std::string_view rest = text.substr(colon + 3);
    const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view authority = rest.substr(0, end);
    rest.remove_prefix(end);
    if (at_sign == AtSign::ends_login && rest.find('@') != rest.npos)
        return bad_address(
            "its user or password has a raw /, ? or #; write them as %2F, %3F and %23");
    if (const size_t at = authority.rfind('@'); at != authority.npos) {
        auto login = read_login(authority.substr(0, at));
        if (!login) return tl::unexpected<Error>(login.error());
        url.login = std::move(*login);
        authority.remove_prefix(at + 1);
    }
    if (!authority.empty()) {
        auto read = parse_host_port(authority);
        if (!read) return tl::unexpected<Error>(read.error());
        url.at = std::move(*read);
    }
    if (const size_t hash = rest.find('#'); hash != rest.npos) {
        url.has_fragment = true;
        rest = rest.substr(0, hash);
    }
    const size_t question = std::min(rest.find('?'), rest.size());
    if (question < rest.size()) url.query = rest.substr(question + 1);
    url.path = rest.substr(0, question);
    return url;
}

std::pair<size_t, size_t> login_span(std::string_view text) {
    const size_t scheme = text.find("://"), at = text.rfind('@');
    if (scheme == text.npos || at == text.npos || at < scheme) return {0, 0};
    return {scheme + 3, at};
}

std::string without_password(std::string_view text) {
    const auto [from, to] = login_span(text);
    const size_t colon = text.find(':', from);
    if (from == to || colon >= to) return std::string(text);
    return std::string(text.substr(0, colon + 1)) + "***" + std::string(text.substr(to));
}

}  // namespace jobq
