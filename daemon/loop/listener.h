// Listener: accepts connections on a Unix path, a TCP address or an inherited descriptor, and
// hands each to a callback. Keeps one descriptor in reserve so that it can refuse, not spin, when
// the process has run out of them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "daemon/loop/stream.h"

namespace jobq {

class Listener {
  public:
    using OnConnect = std::function<void(std::unique_ptr<Stream>)>;

    // A Unix socket: 0660 by umask, never world-writable; a stale socket file of ours is replaced,
    // a live one refused (conflict), anything else left alone (conflict). Paths over 107 bytes are
    // refused (invalid). TCP: port 0 takes a free one.
    static Result<std::unique_ptr<Listener>> listen(UvReactor& reactor, Endpoint endpoint,
                                                    OnConnect on_connect);
    // Takes over a socket that listens already (systemd's); close() leaves its path alone.
    static Result<std::unique_ptr<Listener>> adopt(UvReactor& reactor, int fd,
                                                   OnConnect on_connect);
    ~Listener();
    Listener(const Listener&) = delete;

    // Told in a sentence, once per bout, when connections have to be refused for lack of
    // descriptors. Without it the sentence goes to stderr.
    void on_trouble(std::function<void(std::string)> fn);

    // With the port that was taken.
    const Endpoint& endpoint() const { return endpoint_; }

    // Stops accepting and removes the socket file.
    void close();

  private:
    struct Impl;
    Listener() = default;
    static Result<std::unique_ptr<Listener>> start(UvReactor& reactor, int fd, Endpoint endpoint,
                                                   bool own_path, OnConnect on_connect);

    Impl* impl_ = nullptr;
    Endpoint endpoint_;
};

}  // namespace jobq
