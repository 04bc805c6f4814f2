// Address: where a jobqd may be. From --server, JOBQ_URL, or the places a daemon listens by
// default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/failure.h"

namespace jobq::cli {

struct Address {
    std::string unix_path;  // "" for TCP
    std::string host;
    uint16_t port = 0;
    std::string user;
    std::string password;

    bool is_unix() const { return !unix_path.empty(); }

    // "unix:PATH" or "tcp://HOST:PORT"; never the password.
    std::string to_string() const;
};

// unix:PATH, unix://PATH, /PATH, tcp://[user:password@]HOST[:PORT], HOST:PORT; [v6]:PORT too.
// A text that is none of them is a usage failure whose words never repeat a password.
Answer<Address> parse_address(const std::string& url);

// Those to try, in order. With `server` ("" for none) or JOBQ_URL there is exactly one. Otherwise
// the sockets of a person's daemon, of `jobqd --dev` and of the system's; one in a directory that
// another user could have made is left out.
Answer<std::vector<Address>> addresses_to_try(const std::string& server);

}  // namespace jobq::cli
