// Small whole files: passwords, certificates, keys. Called where a configuration or a variable
// names one. Must stay true: never more than the limit in memory, and no text of the file in an
// error.
#pragma once

#include <string>

#include "core/base/error.h"

namespace jobq {

struct SmallFile {
    std::string text;
    bool world_readable = false;
};

// not_found, forbidden (by the system's word for it), too_large; each names the path.
Result<SmallFile> read_small_file(const std::string& path, size_t most_bytes);

}  // namespace jobq
