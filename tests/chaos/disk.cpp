// See disk.h.
#include "tests/chaos/disk.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tests/chaos/scenarios.h"
#include "tests/support/poll.h"

namespace jobq::chaos {

Disk::Disk(const std::string& size) {
    need_root();
    need_program("mkfs.ext4");
    need_program("losetup");
    const char* base = std::getenv("TMPDIR");
    std::string pattern = std::string(base ? base : "/tmp") + "/jobq-disk-XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("can't make " + pattern);
    directory_ = pattern;
    mount_ = directory_ + "/m";
    mkdir(mount_.c_str(), 0700);
    const std::string image = directory_ + "/image";
    try {
        must_run({"truncate", "-s", size, image});
        must_run({"mkfs.ext4", "-q", "-F", image});
        mount(image);
    } catch (const std::exception& error) {
        std::filesystem::remove_all(directory_);
        throw NotRun{error.what()};  // no loop devices in this container
    }
}

Disk::~Disk() {
    if (mounted_ && umount2(mount_.c_str(), 0) != 0) umount2(mount_.c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Disk::mount(const std::string& image) {
    must_run({"mount", "-o", "loop", image, mount_});
    image_ = image;
    mounted_ = true;
}

void Disk::unmount() {
    if (!test::eventually([&] { return umount2(mount_.c_str(), 0) == 0; }))
        throw std::runtime_error(mount_ + " is still in use");
    mounted_ = false;
}

// The image is what reached the device; to unmount would write the rest, so it is copied before.
void Disk::cut_power() {
    const std::string after = directory_ + "/image" + std::to_string(++images_);
    must_run({"cp", "--sparse=always", image_, after});
    const std::string before = image_;
    unmount();
    unlink(before.c_str());
    mount(after);
}

}  // namespace jobq::chaos
