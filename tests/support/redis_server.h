// RedisServer: a real redis-server for one test case, on a Unix socket in a temp directory, no TCP
// port. Debian's redis-check-rdb is the same program: it serves when called "redis-server".
//
// It dies with the test process, whatever happens to that. When a test fails its log is shown.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace jobq::test {

struct RedisServerOptions {
    bool fsync = false;              // appendonly yes, appendfsync always
    std::vector<std::string> extra;  // further arguments: "--maxmemory", "64mb"
};

class RedisServer {
  public:
    // Started and answering PING when the constructor returns.
    explicit RedisServer(RedisServerOptions options = {});
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;

    const std::string& socket_path() const { return socket_path_; }

    const std::string& dir() const { return dir_.path(); }

    pid_t pid() const { return pid_; }

    std::string log() const;

    // To the process: SIGSTOP and SIGCONT for a Redis that hangs.
    void signal(int number);
    // Ends the process with SIGKILL, or kindly. start() brings it back on the same directory.
    void kill();
    void stop();
    void start();

  private:
    void end_with(int number);
    bool answers() const;

    RedisServerOptions options_;
    TempDir dir_;
    std::string socket_path_;
    pid_t pid_ = -1;
    int uncaught_at_start_;
};

// The path of a program that can serve; throws when there is none.
std::string redis_binary();

}  // namespace jobq::test
