// Small whole files: passwords, certificates, keys where a configuration or a variable names one,
// and marks in the state directory. Must stay true: never more than the limit in memory, and no
// text of the file in an error.
#pragma once

#include <optional>
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

// open(2) for reading, also of the names of a descriptor of ours (/dev/stdin, /dev/fd/3), which
// then is what it is, closed too. Negative: see errno.
int open_to_read(const std::string& path);

// read(2) that goes on after a signal, and waits where a descriptor does not block: at most
// `limit_ms` (negative: as long as it takes). Bytes, 0 at the end, or negative an errno.
ssize_t read_some(int fd, char* into, size_t most, int limit_ms = -1);

// "022", "0027": the permissions that new files do not get. Nothing when it is no octal number.
std::optional<int> parse_umask(std::string_view octal);

// What is in a file of any kind, a pipe too. Errors as above; too_large: over `most_bytes`.
Result<std::string> read_whole_file(const std::string& path, size_t most_bytes);

}  // namespace jobq
