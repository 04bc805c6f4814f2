// WorkerProcess: a real `jobq work` in the background of a test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/live/live_daemon.h"

namespace jobq::test {

class WorkerProcess {
  public:
    // `args` is what follows "jobq work"; `url` "" is the daemon's socket.
    WorkerProcess(const LiveDaemon& daemon, std::vector<std::string> args, std::string url = "");
    ~WorkerProcess();  // killed when it still runs
    WorkerProcess(const WorkerProcess&) = delete;

    pid_t pid() const { return pid_; }

    void signal(int number) const;
    // Its exit status, or 128 + signal; -1 when it did not end within the limit.
    int wait_end(int limit_s = 20);

    std::string out() const { return read_file(dir_ / "out"); }

    std::string err() const { return read_file(dir_ / "err"); }

    // Waits until stderr, or stdout, holds this.
    bool says(const std::string& text, int limit_s = 20) const;

    // Waits until it takes jobs.
    bool is_ready() const { return says("taking jobs of"); }

  private:
    TempDir dir_;
    pid_t pid_ = 0;
    int status_ = -1;
};

}  // namespace jobq::test
