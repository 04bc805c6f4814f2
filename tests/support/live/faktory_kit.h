// What the tests of the Faktory protocol share: a raw connection whose replies are plain text, and
// a jobqd that listens on TCP loopback.
//
// Rows of one test program share one jobqd, so each uses queues and job ids of its own.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/support/live/live_daemon.h"

namespace jobq::test {

// One connection, blocking, with a limit on every wait.
class Wire {
  public:
    explicit Wire(int port);                      // 127.0.0.1
    explicit Wire(const std::string& unix_path);  // a Unix socket
    Wire(Wire&& other) noexcept;
    ~Wire();

    // Bytes as they are. False when the other side is gone.
    bool send(std::string_view bytes) const;
    // The same for who does not read what is answered: false when nothing is taken for a moment.
    bool send_some(std::string_view bytes) const;
    // One reply: "+OK", "-ERR ..." as they are, a bulk string's body, "$-1". What is no reply is
    // "(garbage) ...", an end "(closed)", nothing in time "(silence)".
    std::string reply(int limit_ms = 15'000);
    // A line with CR LF, then its reply.
    std::string ask(const std::string& line);
    nlohmann::json ask_json(const std::string& line);
    // The next n bytes as they are; fewer at an end.
    std::string bytes(size_t n, int limit_ms = 15'000);
    // True when the other side closes, and says nothing more before.
    bool closes(int limit_ms = 15'000);
    // Nothing comes within so long.
    bool is_silent(int for_ms);
    void half_close() const;
    void close();

  private:
    bool send_within(std::string_view bytes, int limit_ms) const;
    bool more(int limit_ms);

    int fd_ = -1;
    std::string in_;
    bool end_ = false;
};

class FaktoryServer {
  public:
    explicit FaktoryServer(const std::string& toml = "[server]\nallow_flush = true\n");

    LiveDaemon daemon;
    int port = 0;

    // Nothing said yet.
    Wire connect() const { return Wire(port); }

    // Past the handshake, with this HELLO.
    Wire client(const std::string& hello = "{\"v\":2}") const;
    Wire unix_client(const std::string& hello = "{\"v\":2}") const;
    Wire worker(const std::string& wid) const;
};

// The one that rows share.
FaktoryServer& shared();
// "q17": not used before in this program.
std::string fresh(const std::string& prefix);
// {"jid":...,"jobtype":"T","args":[1],"queue":...} with more members, each as `,"key":value`.
std::string job_of(const std::string& jid, const std::string& queue, const std::string& more = "");

std::string ok();  // "+OK"

}  // namespace jobq::test
