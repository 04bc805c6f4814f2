#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace jobq {
namespace {

tl::unexpected<Error> unreadable(const std::string& path, int code) {
    bool absent = code == ENOENT || code == ENOTDIR;
    return fail(absent ? ErrorCode::not_found : ErrorCode::forbidden,
                path + " can't be read: " + std::strerror(code));
}

}  // namespace

Result<SmallFile> read_small_file(const std::string& path, size_t most_bytes) {
    // Not to hang on a pipe that nobody writes to.
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return unreadable(path, errno);

    struct stat info {};

    SmallFile file;
    if (::fstat(fd, &info) == 0) file.world_readable = (info.st_mode & S_IROTH) != 0;
    file.text.resize(most_bytes + 1);
    size_t used = 0;
    int code = 0;
    while (used < file.text.size()) {
        ssize_t got = ::read(fd, file.text.data() + used, file.text.size() - used);
        if (got > 0) {
            used += size_t(got);
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        code = got < 0 ? errno : 0;
        break;
    }
    ::close(fd);
    if (code != 0) return unreadable(path, code);
    if (used > most_bytes)
        return fail(ErrorCode::too_large,
                    path + " has more than " + std::to_string(most_bytes) + " bytes");
    file.text.resize(used);
    return file;
}

}  // namespace jobq
