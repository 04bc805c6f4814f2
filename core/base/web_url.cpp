#include "core/base/web_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/limits.h"

namespace jobq {
namespace {

constexpr size_t kHostBytes = 253, kLabelBytes = 63;

tl::unexpected<Error> bad(std::string why) {
    return fail(ErrorCode::invalid, std::move(why));
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    return out;
}

// Takes "http://" or "https://" away.
bool take_scheme(std::string_view& text, bool& is_https) {
    std::string begin = lower(text.substr(0, 8));
    is_https = begin == "https://";
    if (!is_https && begin.substr(0, 7) != "http://") return false;
    text.remove_prefix(is_https ? 8 : 7);
    return true;
}

Result<> check_name(const std::string& host) {
    if (host.empty() || host.size() > kHostBytes) return bad("it names no host");
    size_t from = 0;
    std::string label;
    while (from <= host.size()) {
        size_t dot = std::min(host.find('.', from), host.size());
        label = host.substr(from, dot - from);
        if (label.empty() || label.size() > kLabelBytes || label.front() == '-' ||
            label.back() == '-' || !std::all_of(label.begin(), label.end(), is_host_char))
            return bad(
                "its host is not a name of a-z, 0-9, - and single dots (write other letters as "
                "xn--...)");
        from = dot + 1;
    }
    // Whatever ends in a number is an IPv4 address to some readers.
    if (!is_digit(label.front())) return {};
    in_addr address{};
    if (inet_pton(AF_INET, host.c_str(), &address) == 1) return {};
    return bad("its host ends in a number and is not an IPv4 address such as 192.0.2.1");
}

// Of "[...]": what stands in the brackets, in its one canonical form.
Result<std::string> read_ipv6(std::string_view text) {
    std::string inner(text.substr(1, text.size() - 2));
    in6_addr address{};
    if (inet_pton(AF_INET6, inner.c_str(), &address) != 1)
        return bad("the text in brackets is not an IPv6 address (without a zone)");
    std::array<char, INET6_ADDRSTRLEN> out{};
    return std::string(inet_ntop(AF_INET6, &address, out.data(), out.size()));
}

// "host", "host:port", "[address]:port".
Result<> read_authority(std::string_view text, WebOrigin& origin) {
    if (text.find('@') != text.npos)
        return bad("it contains credentials: remove the part before @");
    std::string host = lower(text);
    size_t bracket = host.rfind(']');
    size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
    origin.port = origin.is_https ? 443 : 80;
    if (colon != host.npos) {
        std::string port = host.substr(colon + 1);
        bool digits = !port.empty() && port.size() <= 5 && port.front() != '0' &&
                      std::all_of(port.begin(), port.end(), is_digit);
        if (!digits || std::stoi(port) > 65'535) return bad("its port is not 1 to 65535");
        origin.port = std::stoi(port);
        host.resize(colon);
    }
    if (!host.empty() && host.front() == '[' && host.back() == ']') {
        auto inner = read_ipv6(host);
        if (!inner) return tl::unexpected<Error>(inner.error());
        origin.host = std::move(*inner);
        return {};
    }
    auto checked = check_name(host);
    if (checked) origin.host = std::move(host);
    return checked;
}

struct Range4 {
    uint32_t network;
    int bits;
    const char* kind;
};

// IANA's registry of special-purpose addresses (RFC 6890 and later ones).
constexpr Range4 kRanges4[] = {
    {0x00000000, 8, "an address of this host (0.0.0.0/8)"},
    {0x0A000000, 8, "private"},
    {0x64400000, 10, "shared by a provider (100.64.0.0/10)"},
    {0x7F000000, 8, "loopback"},
    {0xA9FE0000, 16, "link-local"},
    {0xAC100000, 12, "private"},
    {0xC0000000, 24, "reserved for protocols"},
    {0xC0000200, 24, "reserved for documentation"},
    {0xC0586300, 24, "reserved (6to4 relays)"},
    {0xC0A80000, 16, "private"},
    {0xC6120000, 15, "reserved for benchmarks"},
    {0xC6336400, 24, "reserved for documentation"},
    {0xCB007100, 24, "reserved for documentation"},
    {0xE0000000, 4, "multicast"},
    {0xF0000000, 4, "reserved"},
};

const char* kind_of4(uint32_t address) {
    for (const auto& range : kRanges4)
        if ((address >> (32 - range.bits)) == (range.network >> (32 - range.bits)))
            return range.kind;
    return nullptr;
}

uint32_t part4(const unsigned char* at) {
    return uint32_t(at[0]) << 24 | uint32_t(at[1]) << 16 | uint32_t(at[2]) << 8 | uint32_t(at[3]);
}

bool starts_with(const unsigned char* bytes, std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes);
}

// Only 2000::/3 is given out, and within it what carries or hides another address is refused.
const char* kind_of6(const unsigned char* b) {
    static constexpr unsigned char kZero[16] = {};
    if (std::equal(b, b + 15, kZero) && b[15] <= 1) return b[15] == 1 ? "loopback" : "unspecified";
    const bool mapped = std::equal(b, b + 10, kZero) && b[10] == 0xFF && b[11] == 0xFF;
    const bool compatible = std::equal(b, b + 12, kZero);
    const bool nat64 = starts_with(b, {0, 0x64, 0xFF, 0x9B}) && std::equal(b + 4, b + 12, kZero);
    if (mapped || compatible || nat64) {
        const char* kind = kind_of4(part4(b + 12));
        return kind || compatible ? (kind ? kind : "an old form of IPv4") : nullptr;
    }
    if (starts_with(b, {0x20, 0x02})) return "6to4";
    if (starts_with(b, {0x20, 0x01, 0x00, 0x00})) return "Teredo";
    if (starts_with(b, {0x20, 0x01}) && b[2] < 2) return "reserved for protocols";
    if (starts_with(b, {0x20, 0x01, 0x0D, 0xB8})) return "reserved for documentation";
    if ((b[0] & 0xFE) == 0xFC) return "private (unique local)";
    if (b[0] == 0xFE && (b[1] & 0xC0) == 0x80) return "link-local";
    if (b[0] == 0xFF) return "multicast";
    if ((b[0] & 0xE0) != 0x20) return "reserved";
    return nullptr;
}

}  // namespace

std::string WebOrigin::text() const {
    std::string out = is_https ? "https://" : "http://";
    out += host.find(':') == host.npos ? host : "[" + host + "]";
    if (port != (is_https ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

Result<WebOrigin> parse_web_url(std::string_view url) {
    if (url.size() > limits::kHttpSendUrlBytes)
        return bad("it is longer than " + std::to_string(limits::kHttpSendUrlBytes) + " bytes");
    for (unsigned char c : url)
        if (c <= ' ' || c >= 0x7F || c == '\\')
            return bad(
                "it contains a space, a backslash, a control character or a non-ASCII letter: "
                "write those as %XX, and the host as xn--...");
    WebOrigin origin;
    if (!take_scheme(url, origin.is_https))
        return bad("it does not begin with https:// or http://");
    auto read = read_authority(url.substr(0, url.find_first_of("/?#")), origin);
    if (!read) return tl::unexpected<Error>(read.error());
    if (url.find('#') != url.npos) return bad("it has a fragment (#...), which is never sent");
    return origin;
}

Result<WebOrigin> parse_web_origin(std::string_view text) {
    WebOrigin origin;
    const bool named = take_scheme(text, origin.is_https);
    if (!named) origin.is_https = true;
    if (!named && text.find("://") != text.npos) return bad("it is neither https nor http");
    auto read = read_authority(text, origin);
    if (!read) return tl::unexpected<Error>(read.error());
    return origin;
}

Result<> check_public(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const char* kind = "of an unknown kind";
    if (address.sa_family == AF_INET) {
        in_addr in{};
        std::memcpy(&in, reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in, sin_addr),
                    sizeof in);
        inet_ntop(AF_INET, &in, text.data(), text.size());
        kind = kind_of4(ntohl(in.s_addr));
    } else if (address.sa_family == AF_INET6) {
        in6_addr in{};
        std::memcpy(&in,
                    reinterpret_cast<const char*>(&address) + offsetof(sockaddr_in6, sin6_addr),
                    sizeof in);
        inet_ntop(AF_INET6, &in, text.data(), text.size());
        kind = kind_of6(&in.s6_addr[0]);
    }
    if (kind == nullptr) return {};
    return fail(ErrorCode::forbidden, "the address " + std::string(text.data()) + " is " + kind);
}

}  // namespace jobq
