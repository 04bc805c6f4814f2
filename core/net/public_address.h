// Which IP addresses belong to the public internet: what a webhook may be sent to.
#pragma once

#include "core/base/error.h"

struct sockaddr;

namespace jobq {

// forbidden: private, loopback, link-local, shared (CGNAT), multicast, reserved, or an IPv6 address
// that carries such an IPv4 one; the text names the address and its kind.
Result<> check_public(const sockaddr& address);

}  // namespace jobq
