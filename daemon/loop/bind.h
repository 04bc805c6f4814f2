// Listening sockets: made, bound, non-blocking, CLOEXEC. For Listener only; blocking calls, so at
// start-up and on reload alone.
#pragma once

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

}  // namespace jobq
