#include "daemon/app/own_program.h"

#include <unistd.h>

#include <filesystem>

namespace jobq {

std::string own_program() {
    std::error_code failed;
    std::string path = std::filesystem::read_symlink("/proc/self/exe", failed);
    constexpr std::string_view kReplaced = " (deleted)";
    if (path.ends_with(kReplaced) && access(path.c_str(), F_OK) != 0)
        path.resize(path.size() - kReplaced.size());
    return path;
}

}  // namespace jobq
