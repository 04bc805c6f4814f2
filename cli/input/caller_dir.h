// Where jobq was called: paths on its command line mean what they mean there, not where jobqd is.
#pragma once

#include <string>

#include "cli/base/failure.h"

namespace jobq::cli {

// The current directory, as text that a job can carry. It may have been removed, be out of reach,
// or have a name that is not UTF-8: then a failure that says so.
Answer<std::string> caller_dir();

// The absolute path of what the command line calls `path`.
Answer<std::string> from_caller(const std::string& path);

}  // namespace jobq::cli
