#include "core/net/web_url.h"

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/net/bad_address.h"
#include "core/net/url.h"

namespace jobq {
namespace {

// Stricter than other hosts: no zone, no "_", no last dot. Whatever ends in a label that begins
// with a digit is an IPv4 address to some readers; of those parse_host() has refused all others.
Result<> check_host(const std::string& host) {
    if (host.empty()) return bad_address("it names no host");
    if (host.find(':') != host.npos)
        return host.find('%') == host.npos ? Result<>()
                                           : bad_address("its IPv6 address has a zone");
    if (host.find('_') != host.npos || host.back() == '.')
        return bad_address(
            "its host is not a name of a-z, 0-9, - and single dots (write other letters as "
            "xn--...)");
    const std::string_view last = std::string_view(host).substr(host.rfind('.') + 1);
    if (is_digit(last.front()) && !std::all_of(last.begin(), last.end(), is_digit))
        return bad_address(
            "its host ends in a number and is not an IPv4 address such as 192.0.2.1");
    return {};
}

Result<WebOrigin> origin_of(Url url) {
    if (url.login) return bad_address("it contains credentials: remove the part before @");
    if (url.scheme != "http" && url.scheme != "https")
        return bad_address("it does not begin with https:// or http://");
    auto checked = check_host(url.at.host);
    if (!checked) return tl::unexpected<Error>(checked.error());
    if (url.at.port == 0) return bad_address("its port is not 1 to 65535");
    if (url.has_fragment) return bad_address("it has a fragment (#...), which is never sent");
    WebOrigin origin;
    origin.is_https = url.scheme == "https";
    origin.host = std::move(url.at.host);
    origin.port = url.at.port.value_or(origin.is_https ? 443 : 80);
    return origin;
}

}  // namespace

std::string WebOrigin::text() const {
    std::string out = is_https ? "https://" : "http://";
    out += host_text(host);
    if (port != (is_https ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

Result<WebOrigin> parse_web_url(std::string_view text) {
    if (text.size() > limits::kHttpSendUrlBytes)
        return bad_address("it is longer than " + std::to_string(limits::kHttpSendUrlBytes) +
                           " bytes");
    for (unsigned char c : text)
        if (c <= ' ' || c >= 0x7F || c == '\\')
            return bad_address(
                "it contains a space, a backslash, a control character or a non-ASCII letter: "
                "write those as %XX, and the host as xn--...");
    auto url = parse_url(text, AtSign::may_be_in_path);
    if (!url) return tl::unexpected<Error>(url.error());
    return origin_of(std::move(*url));
}

Result<WebOrigin> parse_web_origin(std::string_view text) {
    const bool named = text.find("://") != text.npos;
    const std::string whole = named ? std::string(text) : "https://" + std::string(text);
    auto url = parse_url(whole, AtSign::ends_login);
    if (!url) return tl::unexpected<Error>(url.error());
    if (!url->path.empty() || url->query) return bad_address("it has more than a host and a port");
    return origin_of(std::move(*url));
}

Result<WebOrigin> parse_page_origin(std::string_view text) {
    if (text.find("://") == text.npos)
        return bad_address("it does not begin with https:// or http://");
    return parse_web_origin(text);
}

}  // namespace jobq
