// How webhooks are signed: the form of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
// "v1," and the base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>". Called by the pool that
// delivers them, and where the configuration is read.
//
// Must stay true: no secret is part of an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace jobq {

class WebhookKeys {
  public:
    // One secret a line, "whsec_" and the base64 of 24 to 64 bytes; "#" begins a comment. With
    // several each message has a signature by each, so that one can be replaced. `remark`, when
    // set, is a sentence for the log: others may read the file.
    static Result<WebhookKeys> read(const std::string& path, std::string& remark);

    // "v1,<base64>", one for each secret with spaces between: the value of Webhook-Signature.
    std::string sign(std::string_view id, int64_t timestamp_s, std::string_view body) const;

    size_t count() const { return keys_.size(); }

  private:
    std::vector<std::string> keys_;  // raw bytes
};

}  // namespace jobq
