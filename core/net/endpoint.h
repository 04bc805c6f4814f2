// Endpoint: where a socket is, as people write it, with one grammar for all who listen or connect:
// unix:PATH, unix:///PATH, tcp://HOST[:PORT], tcp+tls://HOST[:PORT], HOST:PORT, [V6]:PORT. Called
// for [listen], --server, JOBQ_URL, --connect and the address of a Redis.
//
// Must stay true: no error text repeats a user or a password.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/net/url.h"

namespace jobq {

// "unix:PATH", "tcp://HOST:PORT", "tcp+tls://HOST:PORT".
struct Endpoint {
    std::string unix_path;  // when not empty
    std::string host;
    int port = 0;
    bool tls = false;
    bool own = false;  // of a Unix socket: who listens there must be of our own user, or root

    bool is_unix() const { return !unix_path.empty(); }

    std::string text() const;
};

struct ServerAddress {
    Endpoint endpoint;
    std::optional<Login> login;
};

// A jobqd to connect to: any form; behind tcp:// the port may be left out (Faktory's 7419), and
// USER:PASSWORD@ may stand there. A path that begins with "/" is a socket's.
Result<ServerAddress> parse_server_address(std::string_view text);
// The same without user and password: what a command line may say.
Result<Endpoint> parse_endpoint(std::string_view text);

// What to listen on: HOST:PORT, where port 0 is any free one.
Result<Endpoint> parse_tcp_listen(std::string_view text);
// That, or unix:PATH with an absolute path.
Result<Endpoint> parse_listen(std::string_view text);

// A path of a socket: not empty, without NUL, at most limits::kUnixPathBytes.
Result<Endpoint> unix_endpoint(std::string_view path);

}  // namespace jobq
