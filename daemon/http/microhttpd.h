// The functions of libmicrohttpd that the HTTP server calls, found in the shared library when HTTP
// is first wanted. Only daemon/http sees this.
//
// Not linked: the runner is the same program and has no HTTP, nor has a jobqd without [listen]
// http; the library, and GnuTLS that it needs, would take their memory.
#pragma once

#include <microhttpd.h>

#include "core/base/error.h"

namespace jobq {

// Each name once: the members and their look-up are made of it.
#define JOBQ_MICROHTTPD_FUNCTIONS(F) \
    F(add_response_header)           \
    F(create_response_from_buffer)   \
    F(create_response_from_callback) \
    F(destroy_response)              \
    F(get_connection_info)           \
    F(get_connection_values)         \
    F(get_daemon_info)               \
    F(get_timeout)                   \
    F(queue_response)                \
    F(quiesce_daemon)                \
    F(resume_connection)             \
    F(run)                           \
    F(start_daemon)                  \
    F(stop_daemon)                   \
    F(suspend_connection)

struct Microhttpd {
// A member's name stands without parentheses.
#define JOBQ_MEMBER(name) \
    decltype(&::MHD_##name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
    JOBQ_MICROHTTPD_FUNCTIONS(JOBQ_MEMBER)
#undef JOBQ_MEMBER
};

// Loads the library at the first call; `unavailable` with the reason when it can't be.
Result<const Microhttpd*> load_microhttpd();

}  // namespace jobq
