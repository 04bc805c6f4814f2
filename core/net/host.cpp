#include "core/net/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "core/base/ascii.h"
#include "core/base/text.h"
#include "core/net/bad_address.h"

namespace jobq {
namespace {

constexpr size_t kHostBytes = 253, kLabelBytes = 63, kZoneBytes = 15;

bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLabelBytes && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), is_host_char);
}

// What getaddrinfo() takes for a part of an IPv4 address: digits, or 0x and more.
bool is_number(std::string_view label) {
    return label.starts_with("0x") || std::all_of(label.begin(), label.end(), is_digit);
}

Result<std::string> read_name(std::string_view text) {
    std::string name = ascii_lower(text);
    if (name.empty()) return bad_address("it names no host");
    // The last dot of a whole name: "redis.example.".
    std::string_view whole = name;
    if (whole.size() > 1 && whole.back() == '.') whole.remove_suffix(1);
    const auto labels = split(whole, '.');
    if (name.size() > kHostBytes || !std::all_of(labels.begin(), labels.end(), is_label))
        return bad_address(
            "its host is not a name of a-z, 0-9, -, _ and single dots, nor an IP address");
    in_addr address{};
    if (is_number(labels.back()) && inet_pton(AF_INET, name.c_str(), &address) != 1)
        return bad_address(
            "its host ends in a number and is not an IPv4 address such as 192.0.2.1");
    return name;
}

Result<std::string> read_ipv6(std::string_view text) {
    const size_t percent = text.find('%');
    in6_addr address{};
    if (inet_pton(AF_INET6, std::string(text.substr(0, percent)).c_str(), &address) != 1)
        return bad_address("its host is not an IPv6 address");
    std::array<char, INET6_ADDRSTRLEN> out{};
    std::string host = inet_ntop(AF_INET6, &address, out.data(), out.size());
    if (percent == text.npos) return host;
    const std::string_view zone = text.substr(percent + 1);
    auto fits = [](char c) { return is_host_char(c) || c == '.' || (c >= 'A' && c <= 'Z'); };
    if (zone.empty() || zone.size() > kZoneBytes || !std::all_of(zone.begin(), zone.end(), fits))
        return bad_address("the zone of its IPv6 address is not the name of an interface");
    return host + "%" + std::string(zone);
}

Result<int> read_port(std::string_view text) {
    constexpr int kMax = 65'535;
    const bool digits = !text.empty() && text.size() <= 5 &&
                        std::all_of(text.begin(), text.end(), is_digit) &&
                        (text.front() != '0' || text.size() == 1);
    const auto number = digits ? parse_int(text) : std::nullopt;
    if (!number || *number > kMax) return bad_address("its port is not a number from 0 to 65535");
    return int(*number);
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
    return text.find(':') == text.npos ? read_name(text) : read_ipv6(text);
}

Result<HostPort> parse_host_port(std::string_view text) {
    const bool bracketed = text.starts_with('[');
    const size_t close = bracketed ? text.find(']') : 0;
    if (close == text.npos) return bad_address("it has [ without ]");
    const std::string_view rest = bracketed ? text.substr(close + 1) : text;
    const size_t colon = rest.find(':');
    if (bracketed && !rest.empty() && colon != 0)
        return bad_address("there is something else than :PORT behind its ]");
    if (colon != rest.npos && rest.find(':', colon + 1) != rest.npos)
        return bad_address(
            "it has more than one colon; put an IPv6 address in brackets, [::1]:7419");
    HostPort read;
    auto host = bracketed ? read_ipv6(text.substr(1, close - 1)) : read_name(rest.substr(0, colon));
    if (!host) return tl::unexpected<Error>(host.error());
    read.host = std::move(*host);
    if (colon == rest.npos) return read;
    auto port = read_port(rest.substr(colon + 1));
    if (!port) return tl::unexpected<Error>(port.error());
    read.port = *port;
    return read;
}

std::string host_text(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_ip_address(const std::string& host) {
    in_addr four{};
    return host.find(':') != std::string::npos || inet_pton(AF_INET, host.c_str(), &four) == 1;
}

bool is_loopback(const std::string& host) {
    unsigned char bytes[16];
    if (inet_pton(AF_INET, host.c_str(), bytes) == 1) return bytes[0] == 127;
    if (inet_pton(AF_INET6, host.c_str(), bytes) != 1) return host == "localhost";
    static constexpr unsigned char kOne[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return std::equal(std::begin(bytes), std::end(bytes), std::begin(kOne));
}

}  // namespace jobq
