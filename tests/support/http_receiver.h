// HttpReceiver: an HTTP server that is none of ours, on a free port of 127.0.0.1, for what jobqd
// sends. It keeps every request and answers as the test says; with a certificate it speaks TLS.
// Threads and blocking sockets.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/authority.h"

namespace jobq::test {

class TlsEnd;

struct ReceivedRequest {
    std::string method, target, body;
    std::map<std::string, std::string> headers;  // names in lower case
    int64_t at_ms = 0;                           // monotonic
};

// A port of 127.0.0.1 at which nobody listens, kept from all others for a receiver that comes
// later.
class ReservedPort {
  public:
    ReservedPort();
    ~ReservedPort();
    ReservedPort(const ReservedPort&) = delete;

    int port() const { return port_; }

  private:
    int port_ = 0, fd_ = -1;
};

class HttpReceiver {
  public:
    // Gives the bytes of the answer; "" holds the connection open, silent, until stop() or the
    // client's end; "reset" resets it.
    using Answer = std::function<std::string(const ReceivedRequest&)>;

    // Port 0: a free one. Throws when it can't listen.
    explicit HttpReceiver(Answer answer, int port = 0,
                          std::optional<TestAuthority::Pair> tls = std::nullopt);
    ~HttpReceiver();
    HttpReceiver(const HttpReceiver&) = delete;

    int port() const { return port_; }

    std::string url(const std::string& path = "/hook") const;
    std::vector<ReceivedRequest> requests() const;
    size_t count() const;

    // Connections that are open, and the most there were at once.
    int open() const { return open_; }

    int most_open() const { return most_open_; }

    // Nothing listens any more; all connections are closed.
    void stop();

    static std::string reply(int status, const std::string& body = "",
                             const std::string& headers = "");

  private:
    void accept_all();
    void serve(int fd);
    bool read_request(int fd, TlsEnd* tls, std::string& in, ReceivedRequest& request);
    void converse(int fd, TlsEnd* tls);

    Answer answer_;
    std::optional<TestAuthority::Pair> tls_;
    int listen_fd_ = -1, port_ = 0;
    std::thread acceptor_;
    mutable std::mutex mutex_;
    std::vector<std::thread> threads_;
    std::vector<int> fds_;
    std::vector<ReceivedRequest> requests_;
    std::atomic<int> open_ = 0, most_open_ = 0;
    std::atomic<bool> stopped_ = false;
};

}  // namespace jobq::test
