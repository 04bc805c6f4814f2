// The handshake, both halves: the server greets with "+HI {...}", the client answers "HELLO {...}"
// with who it is and, where the greeting asks for one, with its password's hash. Faktory Work
// Protocol 2, sections 2 and 3; jobq-protocol(7). Used by sessions, the runner's client and jobq's.
// The hash itself: password.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace jobq {

struct Hello {
    int64_t version = 2;   // of the protocol; 0 when absent
    bool opted_in = true;  // "jobq":1
    std::string wid;       // "": no worker
    std::string hostname, username, pwdhash;
    int64_t pid = 0;
    std::vector<std::string> labels;
    int64_t slots = 0;  // jobs it runs at once; 0: not said
};

// The line.
std::string write_hello(const Hello& hello);
// The JSON of the line; names without regard to case, as Faktory's are. bad_data.
Result<Hello> read_hello(std::string_view json);
// The line that answers `greeting`, which is what the server sent less "+" and the line's end.
// unauthorized: it asks for a password and there is none; unavailable: it is no such greeting.
Result<std::string> answer_greeting(std::string_view greeting, Hello hello,
                                    std::string_view password);

}  // namespace jobq
