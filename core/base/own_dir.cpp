// Walks the path by descriptors, so that what was looked at is what is spoken of; see own_dir.h.
#include "core/base/own_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace jobq {
namespace {

tl::unexpected<Error> refused(const std::string& path, const std::string& why) {
    return fail(ErrorCode::forbidden, path + " is not safe to use: " + why);
}

std::string user(uid_t uid) {
    return "user id " + std::to_string(uid);
}

// Root; or in a user namespace whoever it is there.
uid_t owner_of_all() {
    struct stat root {};

    return ::stat("/", &root) == 0 ? root.st_uid : 0;
}

bool is_trusted(uid_t uid) {
    return uid == ::geteuid() || uid == 0 || uid == owner_of_all();
}

// Others than us, root and our own group.
bool others_write(const struct stat& dir) {
    const bool group = (dir.st_mode & S_IWGRP) != 0 && dir.st_gid != ::getegid() && dir.st_gid != 0;
    return group || (dir.st_mode & S_IWOTH) != 0;
}

// The names on the way, before symbolic links are followed: whose are the links?
Result<> check_links(const std::string& path) {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string prefix = path.substr(0, end);

        struct stat entry {};

        if (::lstat(prefix.c_str(), &entry) == 0 && S_ISLNK(entry.st_mode) &&
            !is_trusted(entry.st_uid))
            return refused(path, "the symbolic link " + prefix + " belongs to " +
                                     user(entry.st_uid) + ", not to this user");
        if (end == std::string::npos) return {};
    }
}

struct Descriptor {
    int fd;

    ~Descriptor() { ::close(fd); }

    explicit Descriptor(int number) : fd(number) {}

    Descriptor(const Descriptor&) = delete;
};

Result<> check_last(const std::string& path, const struct stat& dir, bool ours) {
    if (ours && dir.st_uid != ::geteuid())
        return refused(path,
                       "it belongs to " + user(dir.st_uid) + ", and we are " + user(::geteuid()));
    if (ours && (dir.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refused(path, "other users can write to it; run chmod 700 " + path);
    return {};
}

// One directory of the canonical path.
Result<> check_step(SafeDir& checked, const std::string& at, int fd, bool last, bool ours) {
    struct stat dir {};

    if (::fstat(fd, &dir) != 0) return refused(checked.path, at + ": " + std::strerror(errno));
    if (!is_trusted(dir.st_uid))
        return refused(checked.path, (last ? "it" : at) + " belongs to " + user(dir.st_uid) +
                                         ", and we are " + user(::geteuid()));
    if (last)
        if (auto good = check_last(checked.path, dir, ours); !good) return good;
    if (others_write(dir) && (dir.st_mode & S_ISVTX) == 0 && checked.doubt.empty())
        checked.doubt = "other users can write to " + at + " and replace its contents";
    return {};
}

}  // namespace

Result<SafeDir> safe_dir(const std::string& path, bool ours) {
    if (path.empty()) return fail(ErrorCode::not_found, "the path of a directory is empty");
    std::string whole = path;
    char buffer[PATH_MAX];
    if (path.front() != '/') {
        if (::getcwd(buffer, sizeof buffer) == nullptr)
            return refused(
                path, std::string("the current directory does not exist: ") + std::strerror(errno));
        whole = std::string(buffer) + "/" + path;
    }
    if (::realpath(whole.c_str(), buffer) == nullptr) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        return fail(absent ? ErrorCode::not_found : ErrorCode::forbidden,
                    path + " can't be used: " + std::strerror(errno));
    }
    if (auto linked = check_links(whole); !linked) return tl::unexpected(linked.error());
    SafeDir checked{buffer, ""};
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    auto dir = std::make_unique<Descriptor>(::open("/", kFlags));
    for (size_t begin = 1;;) {
        const bool last = begin >= checked.path.size();
        if (dir->fd < 0)
            return refused(checked.path,
                           checked.path.substr(0, begin) + ": " + std::strerror(errno));
        const std::string at = begin == 1 ? "/" : checked.path.substr(0, begin - 1);
        auto good = check_step(checked, at, dir->fd, last, ours);
        if (!good) return tl::unexpected(good.error());
        if (last) return checked;
        size_t end = checked.path.find('/', begin);
        if (end == std::string::npos) end = checked.path.size();
        const std::string name = checked.path.substr(begin, end - begin);
        dir = std::make_unique<Descriptor>(::openat(dir->fd, name.c_str(), kFlags));
        begin = end + 1;
    }
}

Result<SafeDir> own_dir(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        const bool absent = errno == ENOENT;
        return fail(absent ? ErrorCode::not_found : ErrorCode::forbidden,
                    "can't create " + path + ": " + std::strerror(errno));
    }
    return safe_dir(path, true);
}

bool is_own_uid(int64_t uid) {
    return uid == int64_t(::geteuid()) || uid == 0;
}

}  // namespace jobq
