// Disk: an ext4 of its own on a loop device, whose power can be cut. What the file system had not
// given to the device is gone then, and its journal is replayed. Needs root.
#pragma once

#include <string>

namespace jobq::chaos {

class Disk {
  public:
    // `size` as truncate(1) has it.
    explicit Disk(const std::string& size = "128M");
    ~Disk();  // nothing of it stays
    Disk(const Disk&) = delete;

    // Where it is mounted.
    const std::string& path() const { return mount_; }

    // Requires: nobody uses it any more, all of them were killed.
    void cut_power();

  private:
    void mount(const std::string& image);
    void unmount();

    std::string directory_, mount_, image_;
    int images_ = 0;
    bool mounted_ = false;
};

}  // namespace jobq::chaos
