// The functions of GnuTLS that jobq calls, found in the shared library when TLS is first wanted.
// Only core/tls sees this.
//
// Not linked: a process that never speaks TLS (nearly every `jobq`, every local runner) would pay
// for loading libgnutls and what it needs, some milliseconds and more than a MiB.
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "core/base/error.h"

namespace jobq {

// Each name once: the members and their look-up are made of it.
#define JOBQ_GNUTLS_FUNCTIONS(F)             \
    F(alert_get)                             \
    F(alert_get_name)                        \
    F(alert_send_appropriate)                \
    F(bye)                                   \
    F(certificate_allocate_credentials)      \
    F(certificate_free_credentials)          \
    F(certificate_get_x509_crt)              \
    F(certificate_set_x509_key_mem2)         \
    F(certificate_set_x509_system_trust)     \
    F(certificate_set_x509_trust_mem)        \
    F(certificate_type_get)                  \
    F(certificate_verification_status_print) \
    F(credentials_set)                       \
    F(deinit)                                \
    F(error_is_fatal)                        \
    F(handshake)                             \
    F(init)                                  \
    F(priority_deinit)                       \
    F(priority_init)                         \
    F(priority_set)                          \
    F(record_recv)                           \
    F(record_send)                           \
    F(server_name_set)                       \
    F(session_get_verify_cert_status)        \
    F(session_set_verify_cert)               \
    F(strerror)                              \
    F(transport_set_errno)                   \
    F(transport_set_ptr)                     \
    F(transport_set_pull_function)           \
    F(transport_set_pull_timeout_function)   \
    F(transport_set_push_function)           \
    F(x509_crt_deinit)                       \
    F(x509_crt_get_expiration_time)

struct Gnutls {
// A member's name stands without parentheses.
#define JOBQ_MEMBER(name) \
    decltype(&::gnutls_##name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
    JOBQ_GNUTLS_FUNCTIONS(JOBQ_MEMBER)
#undef JOBQ_MEMBER
    void (*free)(void*) = nullptr;  // of what GnuTLS allocated for us
};

// Loads the library at the first call; `unavailable` with the reason when it can't be. Once loaded
// it stays.
Result<const Gnutls*> load_gnutls();

}  // namespace jobq
