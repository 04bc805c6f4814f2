// Client: one connection of the runner to jobqd: handshake, then one request and one reply at a
// time. The runner has several, one for each of its loops, so that a long poll holds up nobody.
// Must stay true: used by one coroutine at a time; close() may come from anywhere.
#pragma once

#include <memory>
#include <string>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/tls/tls.h"
#include "daemon/loop/stream.h"

namespace jobq {

// Where jobqd is, and how to be let in.
struct Dial {
    Endpoint endpoint;
    std::string hello;                      // the line
    std::string password;                   // "": none
    std::shared_ptr<const TlsContext> tls;  // for an endpoint with TLS
};

class Client {
  public:
    Client(UvReactor& reactor, Dial dial) : reactor_(reactor), dial_(std::move(dial)) {}

    // Greeting and HELLO included. unavailable, timeout, or what jobqd refuses with.
    task<Result<>> connect();
    // Sends `line` and gives the JSON of its reply. An error reply leaves the connection open; any
    // other failure closes it: unknown (cut after sending), timeout.
    task<Result<std::string>> call(std::string line, int64_t limit_ms);

    bool connected() const { return stream_ && ready_ && !stream_->closed(); }

    void close();

  private:
    task<Result<std::string>> read_line(int64_t until_ms);
    Result<> start_tls();
    task<Result<>> shake_hands();
    Result<std::string> hello_for(std::string_view greeting) const;
    task<Result<>> read_until(size_t bytes, int64_t until_ms);

    UvReactor& reactor_;
    Dial dial_;
    std::unique_ptr<Stream> stream_;
    bool ready_ = false;
};

}  // namespace jobq
