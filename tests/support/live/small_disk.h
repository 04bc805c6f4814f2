// SmallDisk: a file system of a few MiB for one test, to be filled and freed: a tmpfs, which takes
// root to mount. Must be made before the daemon that lives on it, and so outlive it.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace jobq::test {

class SmallDisk {
  public:
    explicit SmallDisk(int mebibytes);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;

    // False: the test can't be run here.
    bool mounted() const { return mounted_; }

    std::string path() const { return dir_ / "disk"; }

    int64_t free_bytes() const;
    // Somebody else's file takes all that is free at the call, but so many bytes.
    void fill(int64_t leave_bytes = 0) const;
    void free() const;
    // For LiveDaemon's prepare: its state directory is on this disk.
    void hold(const std::string& state_dir) const;

  private:
    TempDir dir_;
    bool mounted_ = false;
};

}  // namespace jobq::test
