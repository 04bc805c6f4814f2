// Following what a job writes: the verb `logs`, and run --wait.
#pragma once

#include <functional>
#include <string>

#include "cli/link/client.h"
#include "cli/terminal/output.h"
#include "core/json/view.h"

namespace jobq::cli {

enum class FollowEnd : uint8_t { over, interrupted };

// Sends a LOGS request and calls `seen(message)` for each piece until the end. With `follow` a
// lost connection is taken up again for 30 s; pieces already seen are not repeated. `seen` gets the
// bytes that are new, with "attempt" and "stream" of the message. What is missing is told on
// stderr; a message about that has no bytes.
Answer<FollowEnd> follow_logs(
    Client& client, Output& out, const std::string& request, bool follow,
    const std::function<void(JsonView message, const std::string& text)>& seen);

}  // namespace jobq::cli
