// LiveDaemon: a real jobqd with its own configuration, state directory and socket for one test
// case, to be killed, stopped and started again on the same state. For the tests of the whole
// product.
//
// Whatever the test did, the destructor ends jobqd, its runner and its Redis, each by its own pid;
// when the test failed the end of the daemon's log is shown. jobqd also gets SIGTERM when the test
// process itself is killed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/live/cli_kit.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

// user + system time the process has used so far, in seconds; -1 when there is none.
double cpu_seconds(pid_t pid);
// False for a process that ended and waits for its parent.
bool is_alive(pid_t pid);
// Whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent);
// How many processes have `word` among their arguments.
int processes_with(const std::string& word);

class LiveDaemon {
  public:
    // Started and ready when the constructor returns; throws with its log when it is not in time.
    // `toml` is the configuration, "{dir}" in it the test's directory.
    // `prepare` is called before the first start, with the path of the state directory to be.
    explicit LiveDaemon(const std::string& toml, std::vector<std::string> flags = {},
                        const std::function<void(const std::string&)>& prepare = {});
    ~LiveDaemon();
    LiveDaemon(const LiveDaemon&) = delete;

    const TempDir& dir() const { return dir_; }

    std::string state_dir() const { return dir_ / "s"; }

    std::string socket() const { return dir_ / "q.sock"; }

    std::string log() const { return read_file(dir_ / "log"); }

    pid_t pid() const { return pid_; }

    pid_t runner_pid() const;
    // 0 while there is none.
    pid_t redis_pid() const;

    // Starts this file from now on, instead of the jobqd that was built.
    void use_program(std::string path) { program_ = std::move(path); }

    void start();
    // SIGUSR2, and until it is ready again; throws when it is not in time.
    void restart();
    // SIGKILL; its runner goes on.
    void kill();
    void signal(int number) const;
    // SIGTERM; the exit status.
    int stop();
    // False when it still runs after so long.
    bool wait_end(int limit_s, int* status = nullptr);
    void write_config(const std::string& toml) const;

    // jobq against this daemon.
    CliCall call(std::vector<std::string> args, std::string input = "") const;
    Ran jobq(std::vector<std::string> args, std::string input = "") const;
    // The same; throws with what it said when the exit status is not 0.
    std::string must(std::vector<std::string> args, std::string input = "") const;
    // A number in the "jobs" of `jobq stats --json`; -1 when there is no answer.
    int64_t count(const std::string& member) const;
    // Jobs pending or running, both from one answer; -1 when there is none.
    int64_t unfinished() const;
    // The states of jobs, in the order asked.
    std::vector<std::string> states(const std::vector<std::string>& jids) const;

  private:
    TempDir dir_;
    std::vector<std::string> flags_;
    std::string program_;
    pid_t pid_ = 0;
    int uncaught_at_start_;
};

// Of its [listen] tcp, once it is ready.
int tcp_port(const LiveDaemon& daemon);

}  // namespace jobq::test
