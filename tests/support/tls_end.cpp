#include "tests/support/tls_end.h"

#include <gnutls/gnutls.h>

namespace jobq::test {

TlsEnd::TlsEnd(int fd, const TestAuthority::Pair& pair) {
    int code = gnutls_certificate_allocate_credentials(&credentials_);
    if (code >= 0)
        code = gnutls_certificate_set_x509_key_file(credentials_, pair.certificate.c_str(),
                                                    pair.key.c_str(), GNUTLS_X509_FMT_PEM);
    if (code >= 0) code = gnutls_init(&session_, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
    if (code >= 0) code = gnutls_set_default_priority(session_);
    if (code >= 0) code = gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
    if (code >= 0) {
        gnutls_transport_set_int(session_, fd);
        do
            code = gnutls_handshake(session_);
        while (code < 0 && gnutls_error_is_fatal(code) == 0);
    }
    if (code < 0) trouble_ = gnutls_strerror(code);
}

TlsEnd::~TlsEnd() {
    if (session_ != nullptr) gnutls_deinit(session_);
    if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
}

ssize_t TlsEnd::receive(void* to, size_t size) {
    ssize_t got = 0;
    do
        got = gnutls_record_recv(session_, to, size);
    while (got < 0 && gnutls_error_is_fatal(int(got)) == 0);
    return got;
}

ssize_t TlsEnd::send(const void* from, size_t size) {
    ssize_t sent = 0;
    do
        sent = gnutls_record_send(session_, from, size);
    while (sent < 0 && gnutls_error_is_fatal(int(sent)) == 0);
    return sent;
}

}  // namespace jobq::test
