#include "tests/support/live/small_disk.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace jobq::test {

SmallDisk::SmallDisk(int mebibytes) {
    ::mkdir(path().c_str(), 0700);
    const std::string options = "mode=700,size=" + std::to_string(mebibytes) + "m";
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
}

SmallDisk::~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
}

int64_t SmallDisk::free_bytes() const {
    struct statvfs system {};

    if (::statvfs(path().c_str(), &system) != 0) throw std::runtime_error("no disk " + path());
    return int64_t(system.f_bavail) * int64_t(system.f_frsize);
}

void SmallDisk::fill(int64_t leave_bytes) const {
    const int fd =
        ::open((path() + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("no ballast in " + path());
    const std::vector<char> block(64 << 10, 'b');
    // What is free now, once: not the reserve too, which jobqd may give up while this is written.
    for (int64_t left = free_bytes() - leave_bytes; left > 0;) {
        const auto wrote =
            ::write(fd, block.data(), size_t(std::min<int64_t>(int64_t(block.size()), left)));
        if (wrote <= 0) break;
        left -= wrote;
    }
    ::close(fd);
}

void SmallDisk::free() const {
    ::unlink((path() + "/ballast").c_str());
}

void SmallDisk::hold(const std::string& state_dir) const {
    const std::string place = path() + "/state";
    ::mkdir(place.c_str(), 0700);
    if (::symlink(place.c_str(), state_dir.c_str()) != 0)
        throw std::runtime_error("no link " + state_dir);
}

}  // namespace jobq::test
