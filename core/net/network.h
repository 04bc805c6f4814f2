// Network: IP addresses that belong together, as a list in the configuration names them: 192.0.2.1,
// 10.0.0.0/8, fd00::/8. Called for the proxies that HTTP trusts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct Network {
    std::array<uint8_t, 16> address{};  // of IPv4: as ::ffff:A.B.C.D, with 96 bits more
    int bits = 128;

    // Of an address without port; a zone does not matter.
    bool contains(std::string_view address_text) const;

    bool operator==(const Network&) const = default;
};

// Errors are `invalid` and say what is wrong with "it".
Result<Network> parse_network(std::string_view text);

// Stands in such a list for all clients of a Unix socket.
inline constexpr std::string_view kUnixPeer = "unix";

// Of a list with spaces between, whose wrong entries name nobody: whether it has this address.
bool lists_address(std::string_view networks, std::string_view address);

}  // namespace jobq
