// Directories that no other user can exchange under us: for state, sockets and locks. Called by
// jobqd before it uses a place, and by jobq before it believes one that nobody named.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace jobq {

struct SafeDir {
    std::string path;   // absolute, without symbolic links: what is to be used from then on
    std::string doubt;  // "" or in words: a directory above it that more users than us can change
};

// What a directory that exists is good for. Each one on its way must belong to us or to who owns
// "/" (root), symbolic links too; where others may write, entries must be protected (sticky), else
// that is the doubt. `ours`: it must belong to us, and nobody else may write to it.
// not_found, forbidden: in words, with the path.
Result<SafeDir> safe_dir(const std::string& path, bool ours);

// Makes it (0700) where it is missing, then safe_dir(path, true).
Result<SafeDir> own_dir(const std::string& path);

// Whether a process of that user may be taken for one of ours: it is we, or root.
bool is_own_uid(int64_t uid);

}  // namespace jobq
