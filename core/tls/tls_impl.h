// What TlsContext and TlsEngine hold of GnuTLS. Only core/tls sees this.
#pragma once

#include "core/tls/gnutls.h"
#include "core/tls/tls.h"

namespace jobq {

struct TlsContext::Impl {
    const Gnutls* lib = nullptr;
    gnutls_priority_t priority = nullptr;
    gnutls_certificate_credentials_t credentials = nullptr;

    Result<> open();
    // Of the first certificate; 0 when it can't be told.
    int64_t ends_ms() const;
};

struct TlsEngine::Impl {
    const Gnutls* lib = nullptr;
    gnutls_session_t session = nullptr;
    std::shared_ptr<const TlsContext> context;
    std::string host;  // GnuTLS keeps a pointer to it

    // GnuTLS's ways out and in; the pointer is the TlsEngine.
    static ssize_t push(gnutls_transport_ptr_t engine, const void* bytes, size_t size);
    static ssize_t pull(gnutls_transport_ptr_t engine, void* into, size_t size);
    static int pull_timeout(gnutls_transport_ptr_t engine, unsigned ms);
};

}  // namespace jobq
