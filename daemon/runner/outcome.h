// From how a process ended to what is reported of the attempt: the exit contract of `exec` jobs.
// Pure; used by ProcessJob and ChildWorker.
#pragma once

#include <string>

#include "core/protocol/runner_messages.h"
#include "daemon/loop/child.h"
#include "daemon/runner/job_run.h"

namespace jobq {

// "SIGSEGV", or "signal 99".
std::string signal_name(int number);

// Outcome, error_type, message, exit_code, signal and resource use. `last_words` is the last line
// the job wrote to stderr. A stop that jobq made wins over the exit status.
RunReport judge(const ChildEnd& end, StopReason stopped, const TypeSpec& type, int64_t timeout_ms,
                std::string last_words);

// Fills result, log and times from a finished attempt.
void add_output(RunReport& report, const JobRun& attempt, int64_t ended_ms);

}  // namespace jobq
