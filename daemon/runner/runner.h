// The runner: the process that runs commands for a jobqd, on this host or another. main() calls
// run_runner() for `jobqd runner`; `jobq work` is the same with pools and types of its own.
//
// It outlives its jobqd: jobs go on, output and exit status are kept, and are reported to whoever
// answers at the endpoint next. Its jobs do not outlive it, nor the lease it holds for them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/limits.h"
#include "core/protocol/runner_messages.h"
#include "daemon/observe/log.h"

namespace jobq {

// In RunnerOptions::local's types: for every type without an entry of its own.
inline constexpr std::string_view kAnyType = "*";

struct RunnerOptions {
    std::string endpoint;     // "unix:PATH", "tcp://HOST:PORT", "tcp+tls://HOST:PORT"
    bool own_daemon = false;  // who listens at a Unix socket must be of our user, or root
    std::string password;     // for jobqd, should it ask
    std::string ca_file;      // whom to trust with TLS; "": the system's authorities
    std::string name;         // the wid: the same as long as the process lives
    std::string hostname;     // "": this host's
    // Absent: jobqd is asked for pools and types (POOLS), again when its configuration changes.
    std::optional<Assignment> local;
    int64_t stop_timeout_ms = limits::kStopTimeoutMs;
    int64_t lease_ms = limits::kProcessLeaseMs;
    // How long a heartbeat may wait at jobqd: half of its limit, so that one lost answer leaves
    // time for another try.
    int64_t beat_wait_ms = limits::kBeatEveryMs / 2;
    // Idle and without a jobqd for so long: ends. Negative: never (`jobq work`).
    int64_t exit_when_gone_ms = 60'000;
    // Ends when its queues have nothing ready and nothing runs.
    bool burst = false;
    // Ends after so many jobs; negative: no limit.
    int64_t max_jobs = -1;
    // Told of each job when it starts, and when it has ended.
    std::function<void(const TakenJob&)> on_start;
    std::function<void(const TakenJob&, const RunReport&)> on_end;
    // Instead of the log on stderr.
    std::function<void(LogLevel, std::string_view event, const std::string& text)> on_log;
};

// Runs until SIGTERM, SIGINT, a `terminate` of jobqd, or until jobqd stays away. The exit status:
// 0, or 2 when the options can't be meant.
int run_runner(const RunnerOptions& options);

}  // namespace jobq
