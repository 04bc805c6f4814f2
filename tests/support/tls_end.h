// TlsEnd: the server's end of TLS on a blocking socket, by GnuTLS itself and none of our code.
#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/authority.h"

struct gnutls_session_int;
struct gnutls_certificate_credentials_st;

namespace jobq::test {

class TlsEnd {
  public:
    // Shakes hands. The socket stays the caller's.
    TlsEnd(int fd, const TestAuthority::Pair& pair);
    ~TlsEnd();
    TlsEnd(const TlsEnd&) = delete;

    // "": hands were shaken; else why not.
    const std::string& trouble() const { return trouble_; }

    // As recv(2) and send(2); negative for any error.
    ssize_t receive(void* to, size_t size);
    ssize_t send(const void* from, size_t size);

  private:
    gnutls_session_int* session_ = nullptr;
    gnutls_certificate_credentials_st* credentials_ = nullptr;
    std::string trouble_;
};

}  // namespace jobq::test
