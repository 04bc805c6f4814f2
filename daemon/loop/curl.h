// The functions of libcurl that HTTP requests of our own need, found in the shared library when the
// first of them is sent. Only daemon/loop/http_sender.cpp sees this.
//
// Not linked: a jobqd without webhooks or traces would pay for libcurl and the twenty libraries it
// needs. The flavour with OpenSSL is asked for first (decision 38 in jobq-decisions(7)); the
// functions and their numbers are the same in both.
#pragma once

#include <curl/curl.h>

#include "core/base/error.h"

namespace jobq {

// Each name once: the members and their look-up are made of it.
#define JOBQ_CURL_FUNCTIONS(F) \
    F(easy_cleanup)            \
    F(easy_getinfo)            \
    F(easy_init)               \
    F(easy_setopt)             \
    F(easy_strerror)           \
    F(global_init)             \
    F(multi_add_handle)        \
    F(multi_assign)            \
    F(multi_cleanup)           \
    F(multi_info_read)         \
    F(multi_init)              \
    F(multi_remove_handle)     \
    F(multi_setopt)            \
    F(multi_socket_action)     \
    F(slist_append)            \
    F(slist_free_all)          \
    F(version_info)

struct Curl {
// A member's name stands without parentheses.
#define JOBQ_MEMBER(name) \
    decltype(&::curl_##name) name = nullptr;  // NOLINT(bugprone-macro-parentheses)
    JOBQ_CURL_FUNCTIONS(JOBQ_MEMBER)
#undef JOBQ_MEMBER
};

// Loads the library at the first call; `unavailable` with the reason when it can't be, or can't
// resolve names without blocking.
Result<const Curl*> load_curl();

}  // namespace jobq
