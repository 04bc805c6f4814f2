// Small whole files: passwords, certificates, keys where a configuration or a variable names one,
// and marks in the state directory. Must stay true: never more than the limit in memory, and no
// text of the file in an error.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

struct SmallFile {
    std::string text;
    bool world_readable = false;
};

// not_found, forbidden (by the system's word for it), too_large; each names the path.
Result<SmallFile> read_small_file(const std::string& path, size_t most_bytes);
// Replaces the file by `text`, for its owner alone, whole and on the disk, or leaves it as it is.
// storage_full, forbidden (by the system's word for it); each names the path.
Result<> write_small_file(const std::string& path, std::string_view text);

}  // namespace jobq
