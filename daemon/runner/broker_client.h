// BrokerClient: one connection of the runner to jobqd: handshake, then one request and one reply at
// a time. The runner has several, one for each of its loops, so that a long poll holds up nobody.
// Must stay true: used by one coroutine at a time; close() may come from anywhere.
#pragma once

#include <memory>
#include <string>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/protocol/handshake.h"
#include "core/protocol/reply.h"
#include "core/tls/tls.h"
#include "daemon/loop/stream.h"

namespace jobq {

// Where jobqd is, and how to be let in.
struct Dial {
    Endpoint endpoint;
    Hello hello;
    std::string password;                   // "": none
    std::shared_ptr<const TlsContext> tls;  // for an endpoint with TLS
};

class BrokerClient {
  public:
    BrokerClient(UvReactor& reactor, Dial dial) : reactor_(reactor), dial_(std::move(dial)) {}

    // Greeting and HELLO included. unavailable, timeout, or what jobqd refuses with.
    task<Result<>> connect();
    // Sends `line` and gives the JSON of its reply. An error reply leaves the connection open; any
    // other failure closes it: unknown (cut after sending), timeout.
    task<Result<std::string>> call(std::string line, int64_t limit_ms);

    bool connected() const { return stream_ && ready_ && !stream_->closed(); }

    void close();

  private:
    // Its text; an error reply as what it says.
    task<Result<std::string>> read_one(int64_t until_ms);
    Result<> start_tls();
    task<Result<>> shake_hands();
    task<Result<>> read_more(int64_t until_ms);

    UvReactor& reactor_;
    Dial dial_;
    std::unique_ptr<Stream> stream_;
    bool ready_ = false;
};

}  // namespace jobq
