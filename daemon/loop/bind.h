// Listening sockets: made, bound, non-blocking, CLOEXEC. For Listener only; blocking calls, so at
// start-up and on reload alone. And who is at the other end of one.
#pragma once

#include <sys/socket.h>

#include <string>

#include "core/base/error.h"
#include "daemon/loop/stream.h"

namespace jobq {

// Mode 0660 from its first moment. conflict: something that is not our stale socket is there.
Result<int> bind_unix(const std::string& path);
// Port 0 takes a free one and writes it to the endpoint.
Result<int> bind_tcp(Endpoint& endpoint);
// Of a socket that is bound already. invalid: not a listening stream socket.
Result<Endpoint> bound_endpoint(int fd);
// Who is at the other end of a TCP connection: "HOST:PORT"; "": nobody any more.
std::string peer_address_of(int fd);
// "HOST:PORT"; "": it is no such address.
std::string address_text(const sockaddr* raw, socklen_t size);

}  // namespace jobq
