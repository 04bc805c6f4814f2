#include "core/net/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace jobq {
namespace {

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
