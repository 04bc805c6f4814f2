// Waiting for jobs: the verb `wait`, and what enqueue --wait and run --wait do after.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/line/invocation.h"
#include "cli/link/client.h"
#include "core/json/view.h"

namespace jobq::cli {

// How long a wait goes on trying after the connection was lost.
inline constexpr int64_t kComeBackMs = 30'000;

enum class WaitEnd : uint8_t { all_over, timed_out, interrupted };

// Calls `seen(job)` once for each of `jids`, as it becomes final or dead. `limit_ms` absent: as
// long as it takes. A lost connection is taken up again for kComeBackMs; `out` tells.
Answer<WaitEnd> wait_for(Client& client, Output& out, std::vector<std::string> jids,
                         std::optional<int64_t> limit_ms,
                         const std::function<void(JsonView job)>& seen);

// After a failed request of a wait: pauses while the store is away, else connects anew and says so.
// An interrupt ends it early, without a failure.
Answer<> come_back(Client& client, Output& out, const Error& lost);

// The exit status a job's end stands for: 0, its exit code, 128 + signal, 124 for its time limit,
// 3 when there is no such job, 1 for other ends.
int status_of_job(JsonView job);
// "job 01ABC is dead after 3 attempts: exit status 7"; for stderr.
std::string end_in_words(JsonView job);

}  // namespace jobq::cli
