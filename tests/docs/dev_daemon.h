// DevDaemon: a jobqd --dev for as long as a test case lasts, to run documented commands against.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace jobq::test {

class DevDaemon {
  public:
    // Returns when it is ready; throws with its log when it is not in time.
    explicit DevDaemon(std::vector<std::string> flags = {});
    // Asks it to stop, and kills it when it does not.
    ~DevDaemon();
    DevDaemon(const DevDaemon&) = delete;

    std::string socket() const { return dir_ / "s/jobq.sock"; }

    std::string state_dir() const { return dir_ / "s"; }

    // JOBQ_URL, a PATH with both programs in it, and a home of its own.
    std::map<std::string, std::string> environment() const;

    std::string log() const { return read_file(dir_ / "log"); }

  private:
    TempDir dir_;
    pid_t pid_ = 0;
};

}  // namespace jobq::test
