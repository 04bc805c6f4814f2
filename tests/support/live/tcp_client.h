// TcpClient: a client of jobqd's TCP port that is none of ours: a blocking socket, with TLS when
// asked, that says and reads what the test wants. Every read has a limit.
#pragma once

#include <memory>
#include <string>

#include "core/tls/tls.h"

namespace jobq::test {

class TcpClient {
  public:
    // Throws when nobody listens.
    explicit TcpClient(int port);
    ~TcpClient();
    TcpClient(const TcpClient&) = delete;

    // Throws when the handshake fails, with the reason.
    void start_tls(const std::string& ca_file);

    void send(const std::string& bytes);
    // Without its end; "" when the other side closed first.
    std::string line();
    // The body of a bulk reply, or the line of another.
    std::string reply();
    // Nothing more comes: true once the other side has closed.
    bool at_end();

    // Sends HELLO with these members ("{...}") after the greeting; the answer.
    std::string hello(const std::string& json);

    // HELLO's members with the password hashed as the greeting wants it.
    static std::string members(const std::string& greeting, const std::string& password,
                               int version = 2);

  private:
    bool more();

    int fd_ = -1;
    std::unique_ptr<TlsEngine> tls_;
    std::string in_;
};

}  // namespace jobq::test
