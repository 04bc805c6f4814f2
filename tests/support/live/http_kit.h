// What the tests of the HTTP API share: a daemon that serves it, and JSON in and out.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/support/http_client.h"
#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {

using Json = nlohmann::json;

// The address after "http" in the ready file, as a port.
int http_port(const LiveDaemon& daemon);

struct HttpDaemon : LiveDaemon {
    // `toml` is added to [listen] http and what follows.
    explicit HttpDaemon(const std::string& toml = "",
                        const std::function<void(const std::string&)>& prepare = {});

    int port() const { return http_port(*this); }

    // A connection for one request.
    HttpAnswer ask(const std::string& method, const std::string& target,
                   const std::string& body = "",
                   const std::vector<std::string>& headers = {}) const;
    // Throws when the status is another.
    Json json(const std::string& method, const std::string& target, const std::string& body = "",
              int status = 200) const;
    // Enqueues; the job's id.
    std::string enqueue(const std::string& job) const;
    // Waits until the job is in this state.
    bool becomes(const std::string& jid, const std::string& state) const;
};

// A server-sent event.
struct Sent {
    std::string id, event, data;
};

// The next one of an open stream; comments and "retry" are passed over.
Sent next_event(HttpClient& client);

}  // namespace jobq::test
