// Address: where a jobqd may be, and how to be let in. From --server, JOBQ_URL, Faktory's
// variables, or the places a daemon listens by default.
#pragma once

#include <string>
#include <vector>

#include "cli/base/failure.h"
#include "core/net/endpoint.h"

namespace jobq::cli {

// What the command line says of it; "" where it says nothing.
struct Target {
    std::string server, ca_file, password_file;
};

struct Address {
    Endpoint endpoint;
    std::string user, password;
    std::string ca_file;  // whom to trust with TLS; "": the system's authorities
};

// What parse_server_address() reads. A text that it does not is a usage failure whose words never
// repeat a password.
Answer<Address> parse_address(const std::string& text);

// Those to try, in order. With --server, JOBQ_URL, the variable that FAKTORY_PROVIDER names, or
// FAKTORY_URL there is exactly one. Otherwise the sockets of a person's daemon, of `jobqd --dev`
// and of the system's; one in a directory that another user could have made is left out. The
// password of TCP is, in this order, that of --password-file, of the URL, of JOBQ_PASSWORD.
Answer<std::vector<Address>> addresses_to_try(const Target& target);

}  // namespace jobq::cli
