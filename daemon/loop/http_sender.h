// HttpSender: HTTP requests that jobqd itself sends (webhooks, traces), for coroutines. libcurl's
// multi-socket interface on the daemon's loop: no thread but those that resolve names.
//
// libcurl is loaded by the first post(). What holds for every request: http and https only, TLS 1.2
// or later with the certificate checked, no redirect is followed, no proxy, cookie, .netrc or
// credential in the URL, no descriptor that a child inherits. Must stay true: every post() ends, by
// its deadline or by stop() at the latest, and nothing is sent for it afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "daemon/loop/uv_reactor.h"

struct sockaddr;

namespace jobq {

struct HttpPost {
    std::string url;
    std::vector<std::string> headers;  // "Name: value"
    std::string body;
    int64_t total_ms = limits::kHttpSendMs;  // waiting for its turn, name, connect and answer
    int64_t connect_ms = limits::kHttpSendConnectMs;
    size_t reply_bytes = limits::kHttpSendReplyBytes;
    std::string ca_file;  // whom to trust with TLS, PEM; "": the system's authorities
    // Called with each address the name has, before a connect to it; an error is what post() gives.
    // A request with a check has a connection of its own, so that what was connected was checked.
    std::function<Result<>(const sockaddr&)> address_check;
};

struct HttpReply {
    int status = 0;
    std::string body;
    bool cut = false;  // the body was longer than reply_bytes, or it broke off, or had no end
    std::optional<int64_t> retry_after_s;  // at most a year
};

class HttpSender {
  public:
    explicit HttpSender(UvReactor& reactor, int at_once = limits::kHttpSendAtOnce);
    // After stop().
    ~HttpSender();
    HttpSender(const HttpSender&) = delete;

    // Any answer whose head is whole is a reply, whatever its status and whatever becomes of its
    // body. Errors: invalid (URL, header), timeout, forbidden (by address_check: its own code),
    // cancelled (by stop), too_large (the answer's headers), else unavailable. Texts name the
    // origin, never the path, which may hold a secret.
    task<Result<HttpReply>> post(HttpPost request);

    // Ends all requests, each with `cancelled`; later ones too. Returns when they have left.
    task<void> stop();

    int in_flight() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace jobq
