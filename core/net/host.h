// HOST, HOST:PORT, [V6]:PORT: the part of every address that names a machine, read in one way
// wherever people write one. A host is kept in one form: lower case, an IPv6 address in its
// shortest form and without brackets.
//
// Must stay true: no error text repeats what was read, since a password may stand in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct HostPort {
    std::string host;
    std::optional<int> port;  // 0 to 65535

    bool operator==(const HostPort&) const = default;
};

// Errors are `invalid` and say what is wrong with "it".
Result<HostPort> parse_host_port(std::string_view text);
// A name of letters, digits, '-', '_' and single dots, an IPv4 address in four numbers, or an IPv6
// address without brackets, with a zone (fe80::1%eth0) or without.
Result<std::string> parse_host(std::string_view text);

// As it stands before a port: an IPv6 address in brackets.
std::string host_text(const std::string& host);
// A number, not a name; as parse_host() gives it.
bool is_ip_address(const std::string& host);
// "localhost", or a number of this host's own loopback; a name that only looks like one is not.
bool is_loopback(const std::string& host);

}  // namespace jobq
