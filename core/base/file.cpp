#include "core/base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace jobq {
namespace {

constexpr int kPipeMs = 5'000;  // for what another process writes

tl::unexpected<Error> unreadable(const std::string& path, int code) {
    bool absent = code == ENOENT || code == ENOTDIR;
    return fail(absent ? ErrorCode::not_found : ErrorCode::forbidden,
                path + " can't be read: " + std::strerror(code));
}

tl::unexpected<Error> unwritable(const std::string& path, int code) {
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return fail(full ? ErrorCode::storage_full : ErrorCode::forbidden,
                path + " can't be written: " + std::strerror(code));
}

// 0, or errno. A close can fail too, with what a write could not say.
int write_and_close(int fd, std::string_view text) {
    int code = 0;
    while (code == 0 && !text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote > 0) text.remove_prefix(size_t(wrote));
        if (wrote < 0 && errno != EINTR) code = errno;
    }
    if (code == 0 && ::fsync(fd) != 0) code = errno;
    if (::close(fd) != 0 && code == 0) code = errno;
    return code;
}

Result<std::string> read_up_to(int fd, const std::string& path, size_t most_bytes, int limit_ms) {
    std::string text;
    char part[16 << 10];
    while (text.size() <= most_bytes) {
        const ssize_t got = read_some(fd, part, sizeof part, limit_ms);
        if (got < 0) return unreadable(path, int(-got));
        if (got == 0) return text;
        text.append(part, size_t(got));
    }
    return fail(ErrorCode::too_large,
                path + " has more than " + std::to_string(most_bytes) + " bytes");
}

}  // namespace

int open_to_read(const std::string& path) {
    int fd = path == "/dev/stdin" ? STDIN_FILENO : -1;
    for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
        if (!path.starts_with(folder)) continue;
        const char* end = path.data() + path.size();
        const auto [stop, error] = std::from_chars(path.data() + folder.size(), end, fd);
        if (error != std::errc() || stop != end) fd = -1;
    }
    if (fd >= 0) return ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

ssize_t read_some(int fd, char* into, size_t most, int limit_ms) {
    while (true) {
        const ssize_t got = ::read(fd, into, most);
        if (got >= 0) return got;
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return -errno;
        pollfd waiting{fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, limit_ms);
        if (ready == 0) return -EAGAIN;
        if (ready < 0 && errno != EINTR) return -errno;
    }
}

std::optional<int> parse_umask(std::string_view octal) {
    int mask = -1;
    const char* end = octal.data() + octal.size();
    const auto [stop, error] = std::from_chars(octal.data(), end, mask, 8);
    if (error != std::errc() || stop != end || mask < 0 || mask > 0777) return std::nullopt;
    return mask;
}

Result<> write_small_file(const std::string& path, std::string_view text) {
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());  // of a process that was killed
    int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return unwritable(path, errno);
    int code = write_and_close(fd, text);
    if (code == 0 && ::rename(fresh.c_str(), path.c_str()) != 0) code = errno;
    if (code == 0) return {};
    ::unlink(fresh.c_str());
    return unwritable(path, code);
}

Result<SmallFile> read_small_file(const std::string& path, size_t most_bytes) {
    // Not to hang on a pipe that nobody writes to.
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return unreadable(path, errno);

    struct stat info {};

    SmallFile file;
    if (::fstat(fd, &info) == 0) file.world_readable = (info.st_mode & S_IROTH) != 0;
    auto text = read_up_to(fd, path, most_bytes, kPipeMs);
    ::close(fd);
    if (!text) return tl::unexpected<Error>(text.error());
    file.text = std::move(*text);
    return file;
}

Result<std::string> read_whole_file(const std::string& path, size_t most_bytes) {
    int fd = open_to_read(path);
    if (fd < 0) return unreadable(path, errno);
    auto text = read_up_to(fd, path, most_bytes, -1);
    ::close(fd);
    return text;
}

}  // namespace jobq
