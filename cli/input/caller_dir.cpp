#include "cli/input/caller_dir.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr const char* kAdvice = "use --cwd with an absolute path";

}  // namespace

Answer<std::string> caller_dir() {
    char here[PATH_MAX];
    if (getcwd(here, sizeof here) == nullptr)
        return give_up(kNoInput,
                       std::string("the current directory can't be used: ") +
                           (errno == ENOENT ? "it was removed" : std::strerror(errno)),
                       kAdvice);
    if (here[0] != '/')  // "(unreachable)..."
        return give_up(kNoInput, "the current directory is not reachable from here", kAdvice);
    if (!is_utf8(here))
        return give_up(kBadData,
                       "the path of the current directory, '" + printable(to_utf8(here)) +
                           "', is not UTF-8, so a job can't use it",
                       kAdvice);
    return std::string(here);
}

Answer<std::string> from_caller(const std::string& path) {
    if (!is_utf8(path))
        return give_up(kBadData, "the path '" + printable(to_utf8(path)) + "' is not UTF-8");
    if (path.starts_with('/')) return path;
    auto here = caller_dir();
    if (!here) return here;
    if (path.empty()) return here;
    return (*here == "/" ? *here : *here + "/") + path;
}

}  // namespace jobq::cli
