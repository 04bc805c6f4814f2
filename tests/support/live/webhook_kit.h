// What the tests of webhooks share: a jobqd with [webhook] towards one receiver, and a check of the
// signature that is not jobqd's own: the openssl program.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/support/http_receiver.h"
#include "tests/support/live/live_daemon.h"

namespace jobq::test {

inline constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
inline constexpr const char* kSecretText = "0123456789abcdef0123456789abcdef";
inline constexpr const char* kOtherSecret = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=";
inline constexpr const char* kOtherSecretText = "abcdefghijklmnopqrstuvwxyz123456";

// The configuration: a thread pool, and the receiver at `port` allowed; `more` stands in [webhook].
std::string webhook_config(const std::string& folder, int port, const std::string& more = "");

// The folder with the secrets, made before the daemon.
struct Secrets {
    explicit Secrets(const std::string& lines = kSecret);
    void write(const std::string& lines) const;

    TempDir dir;
};

// "v1,..." of openssl for what was received.
std::string openssl_signature(const ReceivedRequest& request, const std::string& key);

nlohmann::json body_of(const ReceivedRequest& request);
std::string id_of(const ReceivedRequest& request);

}  // namespace jobq::test
