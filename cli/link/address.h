// Address: where a jobqd may be, and how to be let in. From --server, JOBQ_URL, Faktory's
// variables, or the places a daemon listens by default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/base/failure.h"

namespace jobq::cli {

// What the command line says of it; "" where it says nothing.
struct Target {
    std::string server, ca_file, password_file;
};

struct Address {
    std::string unix_path;  // "" for TCP
    std::string host;
    uint16_t port = 0;
    std::string user;
    std::string password;
    bool tls = false;
    std::string ca_file;  // whom to trust with TLS; "": the system's authorities
    bool own = false;     // nobody named it: who listens there must be of our user, or root

    bool is_unix() const { return !unix_path.empty(); }

    // "unix:PATH", "tcp://HOST:PORT" or "tcp+tls://HOST:PORT"; never the password.
    std::string to_string() const;
};

// unix:PATH, unix://PATH, /PATH, tcp://[user:password@]HOST[:PORT], tcp+tls://..., HOST:PORT;
// [v6]:PORT too.
// A text that is none of them is a usage failure whose words never repeat a password.
Answer<Address> parse_address(const std::string& url);

// Those to try, in order. With --server, JOBQ_URL, the variable that FAKTORY_PROVIDER names, or
// FAKTORY_URL there is exactly one. Otherwise the sockets of a person's daemon, of `jobqd --dev`
// and of the system's; one in a directory that another user could have made is left out. The
// password of TCP is, in this order, that of --password-file, of the URL, of JOBQ_PASSWORD.
Answer<std::vector<Address>> addresses_to_try(const Target& target);

}  // namespace jobq::cli
