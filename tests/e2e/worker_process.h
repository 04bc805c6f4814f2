// WorkerProcess: a real `jobq work` in the background of a test, and TcpProxy: a link to jobqd that
// can be cut. For the tests of remote workers.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/e2e/live_daemon.h"

namespace jobq::test {

// Listens on a free port of loopback and carries bytes to and from a Unix socket.
class TcpProxy {
  public:
    explicit TcpProxy(std::string unix_path);
    ~TcpProxy();
    TcpProxy(const TcpProxy&) = delete;

    std::string url() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

    // Every connection ends and new ones are refused, until mend().
    void cut();
    void mend();

  private:
    void listen_again();
    void serve();
    void close_all();

    std::string unix_path_;
    int port_ = 0;
    int listener_ = -1;
    std::atomic<bool> wants_cut_{false}, is_cut_{false}, stop_{false};
    std::vector<std::pair<int, int>> pairs_;
    std::thread thread_;
};

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
    bool is_ready() const { return says("takes jobs of"); }

  private:
    TempDir dir_;
    pid_t pid_ = 0;
    int status_ = -1;
};

}  // namespace jobq::test
