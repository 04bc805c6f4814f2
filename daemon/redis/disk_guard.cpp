// DiskGuard: see disk_guard.h. All that is asked of the file system here is answered from memory
// by the kernel: a statvfs() takes about a microsecond.
#include "daemon/redis/disk_guard.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kFreshMs = 5;  // a measurement is good for so long, unless much is added
constexpr int64_t kShareOfDisk = 8;
constexpr int64_t kHitMs = 2'000;  // a disk that Redis found full is not asked again so soon

std::optional<DiskSpace> space_of(const std::string& dir) {
    struct statvfs system {};

    if (::statvfs(dir.c_str(), &system) != 0 || system.f_blocks == 0) return std::nullopt;
    DiskSpace space;
    space.size = int64_t(system.f_blocks) * int64_t(system.f_frsize);
    space.free = int64_t(system.f_bavail) * int64_t(system.f_frsize);
    return space;
}

// What Redis writes for a script's arguments: names, ids a second time, and its own frame.
int64_t on_disk(int64_t bytes) {
    return bytes + bytes / 2 + 4096;
}

bool no_room(int error) {
    return error == ENOSPC || error == EDQUOT;
}

}  // namespace

std::string size_in_words(int64_t bytes) {
    static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = double(std::max<int64_t>(0, bytes)) / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit)
        value /= 1024;
    char text[32];
    std::snprintf(text, sizeof text, value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
    return text;
}

DiskGuard::DiskGuard(Reactor& reactor, Settings settings)
    : reactor_(reactor), settings_(std::move(settings)) {
    if (!settings_.measure) settings_.measure = space_of;
    measure();
    low_ = std::min(settings_.reserve_bytes, space_.size / kShareOfDisk);
    settings_.reserve_bytes = low_;
    heal_at_ = low_ + low_ / 2;  // with a margin, or it would change its mind at each job

    // One that is there from the last time costs nothing.
    struct stat file {};

    bool there = ::lstat(settings_.reserve_file.c_str(), &file) == 0 &&
                 int64_t(file.st_blocks) * 512 >= settings_.reserve_bytes;
    if (there || blind_ || space_.free >= low_ + settings_.reserve_bytes) make_reserve();
    look();
}

void DiskGuard::measure() {
    auto space = settings_.measure(settings_.dir);
    blind_ = !space;
    if (space) space_ = *space;
    measured_ms_ = reactor_.now_ms();
    new_bytes_ = 0;
}

// Errors other than a full disk: there is none, and there will be none. The figures still count.
bool DiskGuard::make_reserve() {
    const char* path = settings_.reserve_file.c_str();
    int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0) {
        if (::ftruncate(fd, settings_.reserve_bytes) != 0) error = errno;
        if (error == 0 && settings_.reserve_bytes > 0)
            error = ::posix_fallocate(fd, 0, settings_.reserve_bytes);
        ::close(fd);
        if (error != 0) ::unlink(path);
    }
    if (error != 0 && !no_room(error)) {
        log(LogLevel::warn, "storage.no_reserve",
            "can't create the disk reserve " + settings_.reserve_file + ": " +
                std::strerror(error) +
                "; if others fill the disk, ends of jobs wait until there is room");
        settings_.reserve_bytes = 0;
        error = 0;
    }
    reserve_held_ = error == 0;
    measure();
    return reserve_held_;
}

void DiskGuard::give_up_reserve() {
    if (!reserve_held_) return;
    ::unlink(settings_.reserve_file.c_str());
    reserve_held_ = false;
    measure();
    log(LogLevel::warn, "storage.reserve_given_up",
        "the disk is almost full; the reserve was deleted to record the ends of running jobs",
        {{"reserve", settings_.reserve_file}, {"free_bytes", space_.free}});
}

void DiskGuard::look() {
    measure();
    if (blind_ && !full_) return;
    if (space_.free < low_) full_ = true;
    if (!full_ || (hit_ms_ != 0 && reactor_.now_ms() - hit_ms_ < kHitMs)) return;
    if (reserve_held_) {
        if (space_.free < low_ / 2) give_up_reserve();
    } else if (space_.free >= settings_.reserve_bytes + heal_at_) {
        make_reserve();
    }
    if (!reserve_held_ || space_.free < heal_at_) return;
    full_ = false;
    hit_ms_ = 0;
    heal_at_ = low_ + low_ / 2;
}

void DiskGuard::redis_hit_the_end() {
    full_ = true;
    hit_ms_ = reactor_.now_ms();
    give_up_reserve();
}

std::optional<Error> DiskGuard::refuse(ScriptKind kind, size_t bytes) {
    if (kind == ScriptKind::reads) return std::nullopt;
    const bool adds = kind == ScriptKind::adds;
    const int64_t coming = pending_bytes_ + int64_t(adds ? bytes : 0);
    bool stale = reactor_.now_ms() - measured_ms_ >= kFreshMs || new_bytes_ >= low_ / 8;
    if (full_ || stale || space_.free - on_disk(coming) < low_) look();
    bool refused = full_;
    if (kind == ScriptKind::takes) refused = full_ && short_of(low_ / 2);
    if (kind == ScriptKind::moves) refused = full_ && short_of(kFloorBytes);
    if (adds && !refused && !blind_ && space_.free - on_disk(coming) < low_) {
        refused = true;
        // It may only have to wait for others to be written; alone, it has no room.
        full_ = pending_bytes_ == 0;
        if (full_) heal_at_ = std::max(heal_at_, low_ + on_disk(coming));
    }
    if (refused) return Error{ErrorCode::storage_full, text()};
    if (adds) pending_bytes_ = coming;
    new_bytes_ += int64_t(bytes);
    return std::nullopt;
}

std::string DiskGuard::text() const {
    if (hit_ms_ != 0 && space_.free >= settings_.reserve_bytes + heal_at_)
        return "Redis could not write to the disk of " + settings_.dir +
               " because there is no space, although " + size_in_words(space_.free) +
               " are free (check for a quota); make room there, and jobqd continues by itself";
    return "the disk of " + settings_.dir + " is full (" + size_in_words(space_.free) +
           " free, but " + size_in_words(heal_at_) +
           " are required); free some space there, and jobqd continues by itself";
}

void DiskGuard::fill_in(StorageStatus& status) const {
    status.starts_nothing = full_ && short_of(low_ / 2);
    status.dir = settings_.dir;
    status.free_bytes = space_.free;
    status.wanted_bytes = low_;
    status.reserve_bytes = reserve_held_ ? settings_.reserve_bytes : 0;
}

}  // namespace jobq
