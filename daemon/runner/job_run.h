// JobRun: one run of one job in a process, whatever pool it is in. ProcessJob (exec pools) and
// ChildWorker (child pools) are its two kinds; the runner, its reporter and its heartbeat know only
// this.
// Must stay true: an attempt tells its end exactly once, from the loop's turn, and never inside
// stop() or kill().
#pragma once

#include <functional>

#include "core/protocol/runner_messages.h"
#include "daemon/runner/job_output.h"

namespace jobq {

// Why an attempt is being stopped; the first reason stays.
enum class StopReason : uint8_t {
    none,
    timeout,
    cancel,
    release,  // the runner stops, or its lease ends: the job goes back without a spent attempt
    lost,     // jobqd gave the job to someone else: nothing is reported
};

class JobRun {
  public:
    JobRun(TakenJob job, const TypeSpec& type, int64_t started_ms)
        : output(type), job_(std::move(job)), started_ms_(started_ms), grace_ms_(type.grace_ms) {}

    virtual ~JobRun() = default;
    JobRun(const JobRun&) = delete;

    const TakenJob& job() const { return job_; }

    int64_t started_ms() const { return started_ms_; }  // wall clock

    // Between TERM and KILL.
    int64_t grace_ms() const { return grace_ms_; }

    StopReason stop_reason() const { return reason_; }

    // TERM, the grace, KILL.
    virtual void stop(StopReason reason) = 0;
    // KILL now.
    virtual void kill(StopReason reason) = 0;

    // Whether what it writes is read; when not, it waits once its pipes are full.
    virtual void read_output(bool reads) = 0;

    JobOutput output;
    int64_t held_since_ms = 0;  // that its pipes are not read, with no word of jobqd; 0: they are

  protected:
    void set_reason(StopReason reason) {
        if (reason_ == StopReason::none || reason == StopReason::lost) reason_ = reason;
    }

  private:
    TakenJob job_;
    int64_t started_ms_, grace_ms_;
    StopReason reason_ = StopReason::none;
};

// Told by every attempt: when there is new output, and once at its end.
struct JobRunEvents {
    std::function<void(JobRun&)> on_output;
    std::function<void(JobRun&, RunReport)> on_end;
};

}  // namespace jobq
