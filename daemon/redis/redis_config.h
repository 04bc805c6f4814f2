// The private Redis's configuration, as the text it reads from its standard input: the password is
// neither in argv nor in a file.
#pragma once

#include <string>

#include "core/config/config.h"

namespace jobq {

struct RedisConfigText {
    std::string socket_path;
    std::string dir;
    std::string password;
    Durability durability = Durability::fsync;
    int64_t max_memory_bytes = 0;  // 0: none

    std::string text() const;
};

}  // namespace jobq
