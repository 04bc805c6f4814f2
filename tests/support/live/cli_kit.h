// What the tests of the command line need: running the built jobq with a clean environment, and a
// scripted daemon on a Unix socket for what a real one can't be made to do at will (odd answers,
// cut connections, slow replies).
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace jobq::test {

struct Ran {
    int status = -1;  // exit status; 128 + signal
    std::string out, err;
    double seconds = 0;
};

struct CliCall {
    std::vector<std::string> args;
    std::string input;                       // stdin, as a pipe; see no_input
    bool no_input = true;                    // stdin is /dev/null
    std::map<std::string, std::string> env;  // beside PATH and HOME
    std::string program = kJobqProgram;
    std::string cwd;
    int limit_s = 30;  // killed then: status 137
    // Called once with the pid when the program has started.
    std::function<void(int pid)> started;
};

Ran run_cli(const CliCall& call);

// The daemon's side of one connection.
class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}

    // A line without its end; false when the client has gone.
    bool read_line(std::string& line);
    void write(const std::string& bytes) const;
    void bulk(const std::string& json) const;

  private:
    int fd_;
    std::string buffer_;
};

// The JSON of a job in `state`; `more` is a JSON object whose members are added or replace.
std::string job_json(const std::string& jid, const std::string& state,
                     const std::string& more = "{}");
bool contains(const std::string& text, const std::string& part);

// Greets, takes HELLO, then calls `handle` for each "JOBQ VERB json"; it answers through the Peer
// and returns whether the connection stays. Connections are served one after the other, or each by
// a thread; `handle` is called by one at a time.
class FakeDaemon {
  public:
    enum class Serves { one_by_one, all_at_once };

    using Handle = std::function<bool(Peer&, const std::string& verb, const std::string& json)>;

    // `port`: null for a Unix socket; else it listens on loopback TCP and writes the port there.
    explicit FakeDaemon(Handle handle, std::string greeting = "+HI {\"v\":2}\r\n",
                        int* port = nullptr, Serves serves = Serves::one_by_one);
    ~FakeDaemon();

    std::string url() const { return "unix:" + path_; }

    const std::string& path() const { return path_; }

    // A call of jobq against this daemon.
    CliCall call(std::vector<std::string> args) const;

    // The JSON texts of the requests of one verb so far.
    std::vector<std::string> sent(const std::string& verb) const;
    // "VERB json" of each request so far, the HELLOs as "HELLO json".
    std::vector<std::string> requests() const;

    int connections() const { return connections_; }

  private:
    void listen_unix();
    void listen_tcp(int& port);
    void serve();
    void serve_one(int fd);
    void serve_and_close(int fd);

    TempDir directory_;
    std::string path_;
    Handle handle_;
    std::string greeting_;
    int listener_ = -1;
    std::atomic<bool> stop_{false};
    Serves serves_;
    std::atomic<int> connections_{0};
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::vector<int> open_;
    std::mutex handling_;
    std::thread thread_;
    std::vector<std::thread> threads_;  // all at once: one a connection
};

}  // namespace jobq::test
