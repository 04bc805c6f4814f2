#include "core/net/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "core/base/ascii.h"
#include "core/base/text.h"
#include "core/net/bad_address.h"

namespace jobq {
namespace {

constexpr int kBits = 128, kMappedBits = 96;

std::optional<std::array<uint8_t, 16>> read_address(std::string_view text) {
    const std::string plain(text.substr(0, text.find('%')));
    std::array<uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, plain.c_str(), bytes.data()) == 1) return bytes;
    in_addr four{};
    if (inet_pton(AF_INET, plain.c_str(), &four) != 1) return std::nullopt;
    bytes[10] = bytes[11] = 0xFF;
    std::memcpy(&bytes[12], &four, sizeof four);
    return bytes;
}

}  // namespace

bool Network::contains(std::string_view address_text) const {
    const auto other = read_address(address_text);
    if (!other) return false;
    for (int bit = 0; bit < bits; bit += 8) {
        const int left = std::min(8, bits - bit);
        const auto mask = uint8_t(0xFF << (8 - left));
        const auto at = size_t(bit / 8);
        if (((address[at] ^ (*other)[at]) & mask) != 0) return false;
    }
    return true;
}

Result<Network> parse_network(std::string_view text) {
    const size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto address = host.find('%') == host.npos ? read_address(host) : std::nullopt;
    if (!address) return bad_address("it is not an IP address");
    Network network{*address, kBits};
    if (slash == text.npos) return network;
    const int most = host.find(':') == host.npos ? kBits - kMappedBits : kBits;
    const std::string_view digits = text.substr(slash + 1);
    const bool plain = !digits.empty() && digits.size() <= 3 &&
                       std::all_of(digits.begin(), digits.end(), is_digit);
    const auto number = plain ? parse_int(digits) : std::nullopt;
    if (!number || *number > most)
        return bad_address("behind its / is not a number from 0 to " + std::to_string(most));
    network.bits = int(*number) + kBits - most;
    return network;
}

bool lists_address(std::string_view networks, std::string_view address) {
    for (std::string_view one : split(networks, ' ')) {
        auto network = parse_network(one);
        if (network && network->contains(address)) return true;
    }
    return false;
}

}  // namespace jobq
