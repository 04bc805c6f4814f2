// Wire: a connected socket of the command line, plain or TLS; reads and writes never block. Below
// Link and LoadLink, which know replies.
//
// Must stay true: nothing that came is kept here, so a poll of fd() tells of all there is to read.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/tls/tls.h"

namespace jobq::cli {

class Wire {
  public:
    Wire() = default;

    // Takes over the socket.
    explicit Wire(int fd) : fd_(fd) {}

    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&& other) noexcept;
    ~Wire();

    // The handshake, before anything else; the certificate must be valid for `host`. `ca_file`: ""
    // for the system's authorities. What the daemon said with the end of the handshake is appended
    // to `into`. unauthorized: it is not trusted; unavailable, timeout, cancelled, config.
    Result<> start_tls(const std::string& host, const std::string& ca_file, int64_t deadline_ms,
                       std::string& into);

    bool is_open() const { return fd_ >= 0; }

    int fd() const { return fd_; }

    void close();

    // As send(2) does: how many bytes were taken, or -1 and errno.
    ssize_t send(std::string_view bytes);

    // What was taken and still waits for the socket; once it is writable again, flush() sends it
    // (false: errno).
    size_t held_bytes() const { return tls_ ? tls_->outgoing().size() : 0; }

    bool flush();
    // Appends what is there, some `most` bytes: how many, 0 at the end, or -1 and errno.
    ssize_t read(std::string& into, size_t most);

    // What errno means, or why TLS failed when it is EPROTO.
    std::string reason(int code) const;

  private:
    ssize_t read_tls(std::string& into, size_t most);

    int fd_ = -1;
    std::unique_ptr<TlsEngine> tls_;  // null: plain
    std::string trouble_;
};

}  // namespace jobq::cli
