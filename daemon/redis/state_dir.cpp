// StateDir: every refusal names the directory and what to do. Locks are flock(): bound to the open
// file, so an inherited descriptor keeps them, and the kernel drops them with the last holder.
#include "daemon/redis/state_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "core/base/file.h"
#include "core/base/text.h"

namespace jobq {
namespace {

tl::unexpected<Error> unusable(const std::string& path, const std::string& why) {
    return fail(ErrorCode::config, "can't use the state directory " + path + ": " + why);
}

Result<> make_dir(const std::string& path) {
    std::error_code error;
    auto parent = std::filesystem::path(path).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, error);
    if (error) return unusable(path, error.message() + "; name another one with state_dir");
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
    return unusable(path, std::string(std::strerror(errno)) + "; name another one with state_dir");
}

Result<> check_dir(const std::string& path) {
    struct stat file {};

    if (::stat(path.c_str(), &file) != 0) return unusable(path, std::strerror(errno));
    if (!S_ISDIR(file.st_mode)) return unusable(path, "it is not a directory");
    if (file.st_uid != ::geteuid())
        return unusable(path, "it belongs to user id " + std::to_string(file.st_uid) +
                                  ", but jobqd runs as " + std::to_string(::geteuid()));
    // Who can write here can put another's Redis behind our socket's name.
    if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return unusable(path, "other users can write to it; run chmod 700 " + path);
    return {};
}

Result<int> open_lock(const std::string& dir, const char* name) {
    std::string path = dir + "/" + name;
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return unusable(dir, path + ": " + std::strerror(errno));
    return fd;
}

std::string other_pid(int lock) {
    char bytes[32];
    ssize_t got = ::pread(lock, bytes, sizeof bytes, 0);
    auto pid = parse_int(trim(std::string_view(bytes, size_t(got > 0 ? got : 0))));
    return pid ? " (pid " + std::to_string(*pid) + ")" : "";
}

bool lock_now(int fd) {
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0)
        if (errno != EINTR) return false;
    return true;
}

// A directory without the file is new, or older than the file: format 1.
Result<> check_format(const std::string& dir) {
    std::string path = dir + "/format";
    int64_t format = 0;
    std::ifstream(path) >> format;
    if (format > StateDir::kFormat)
        return unusable(dir, "a newer jobqd wrote it (format " + std::to_string(format) +
                                 ", but this one supports only up to " +
                                 std::to_string(StateDir::kFormat) +
                                 "); install that version again, or use another state_dir");
    if (format == StateDir::kFormat) return {};
    // On a full disk there is none: the next start makes it.
    (void)write_small_file(path, std::to_string(StateDir::kFormat) + "\n");
    return {};
}

bool has_open(const std::string& fd_dir, const struct stat& wanted) {
    DIR* dir = ::opendir(fd_dir.c_str());
    if (dir == nullptr) return false;
    bool found = false;
    while (dirent* entry = ::readdir(dir)) {
        struct stat file {};

        if (::fstatat(::dirfd(dir), entry->d_name, &file, 0) != 0) continue;
        found = found || (file.st_dev == wanted.st_dev && file.st_ino == wanted.st_ino);
    }
    ::closedir(dir);
    return found;
}

}  // namespace

StateDir::StateDir(StateDir&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      redis_lock_(std::exchange(other.redis_lock_, -1)) {}

StateDir::~StateDir() {
    if (redis_lock_ >= 0) ::close(redis_lock_);
    if (lock_ >= 0) ::close(lock_);
}

Result<StateDir> StateDir::open(const std::string& path) {
    StateDir state;
    auto made = make_dir(path);
    if (!made) return tl::unexpected<Error>(made.error());
    char absolute[PATH_MAX];
    if (::realpath(path.c_str(), absolute) == nullptr) return unusable(path, std::strerror(errno));
    state.path_ = absolute;
    auto good = check_dir(state.path_);
    if (!good) return tl::unexpected<Error>(good.error());

    auto lock = open_lock(state.path_, "lock");
    if (!lock) return tl::unexpected<Error>(lock.error());
    state.lock_ = *lock;
    if (!lock_now(state.lock_))
        return fail(ErrorCode::conflict, "another jobqd" + other_pid(state.lock_) +
                                             " uses the state directory " + state.path_ +
                                             "; stop it, or use another state_dir");
    std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(state.lock_, 0) != 0 ||
        ::pwrite(state.lock_, pid.data(), pid.size(), 0) != ssize_t(pid.size()))
        return unusable(state.path_, std::strerror(errno));

    auto format = check_format(state.path_);
    if (!format) return tl::unexpected<Error>(format.error());
    auto redis_lock = open_lock(state.path_, "redis.lock");
    if (!redis_lock) return tl::unexpected<Error>(redis_lock.error());
    state.redis_lock_ = *redis_lock;
    if (::mkdir(state.redis_dir().c_str(), 0700) != 0 && errno != EEXIST)
        return unusable(state.path_, state.redis_dir() + ": " + std::strerror(errno));
    return state;
}

bool StateDir::try_redis_lock() {
    return lock_now(redis_lock_);
}

std::vector<int> StateDir::redis_lock_holders() const {
    std::vector<int> pids;

    struct stat wanted {};

    DIR* proc = ::fstat(redis_lock_, &wanted) == 0 ? ::opendir("/proc") : nullptr;
    if (proc == nullptr) return pids;
    while (dirent* entry = ::readdir(proc)) {
        auto pid = parse_int(entry->d_name);
        if (!pid || *pid == ::getpid()) continue;
        if (has_open("/proc/" + std::to_string(*pid) + "/fd", wanted)) pids.push_back(int(*pid));
    }
    ::closedir(proc);
    return pids;
}

}  // namespace jobq
