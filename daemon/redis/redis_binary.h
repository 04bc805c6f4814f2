// RedisBinary: the program the private Redis runs. Looked for once, at start.
#pragma once

#include <string>

#include "core/base/error.h"

namespace jobq {

struct RedisBinary {
    std::string program;  // absolute path
    // Debian's redis-check-rdb is the server under another name: it looks at argv[0].
    std::string argv0 = "redis-server";
    std::string version;  // "7.0.15"
};

// `wanted`, when not empty, is a path or a name; else redis-server, valkey-server and
// redis-check-rdb are looked up in `path` (a PATH). Runs it once with --version.
// Errors (config): there is none, it does not run, it is older than what jobq needs.
Result<RedisBinary> find_redis(const std::string& wanted, const std::string& path);

}  // namespace jobq
