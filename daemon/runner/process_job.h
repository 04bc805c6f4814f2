// ProcessJob: one attempt of an `exec` job: one process, the payload on its stdin, stdout the
// result, stderr the log, a time limit. Made by the exec pool.
//
//   running --(TERM)--> stopping --(exited)--> lingering (others of it still run)
//      |                    +------(KILL)----------+--> killed
//      +--------------------+----------------------+--> draining (pipes still open) --> over
//
// Must stay true: it is over when the process exited and both pipes are at their end, or kDrainMs
// later, since a grandchild may hold them; then nothing of what it started is left alive. The grace
// is that of all its processes, not of the first alone.
#pragma once

#include <memory>
#include <optional>

#include "daemon/loop/child.h"
#include "daemon/loop/pipe.h"
#include "daemon/runner/job_run.h"
#include "daemon/runner/launch.h"
#include "daemon/runner/orphan_sweeper.h"

namespace jobq {

class ProcessJob final : public JobRun {
  public:
    ProcessJob(UvReactor& reactor, OrphanSweeper& sweeper, TakenJob job, TypeSpec type,
               JobRunEvents& events);
    ~ProcessJob() override;

    // Errors as Child::spawn(); then on_end is not called.
    Result<> start(const Launch& launch);
    void stop(StopReason reason) override;
    void kill(StopReason reason) override;
    void read_output(bool reads) override;

    int pid() const { return child_ ? child_->pid() : -1; }

  private:
    enum class Phase : uint8_t { idle, running, stopping, lingering, killed, draining, over };

    void wrote(OutputStream stream, std::string_view bytes);
    Result<> open_pipes(SpawnPlan& plan, bool with_input);
    void close_childs_ends(const SpawnPlan& plan);
    void exited(const ChildEnd& end);
    void drain(int64_t limit_ms);
    void check_over();
    void finish();
    void set_timer(int64_t ms, std::function<void()> fn);

    UvReactor& reactor_;
    OrphanSweeper& sweeper_;
    TypeSpec type_;
    JobRunEvents& events_;
    int64_t timeout_ms_;
    Phase phase_ = Phase::idle;
    std::unique_ptr<Child> child_;
    std::unique_ptr<PipeWriter> input_;
    std::unique_ptr<PipeReader> out_reader_, err_reader_;
    std::optional<ChildEnd> end_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    TimerId timer_ = 0;  // the time limit, then the grace, then the drain
};

}  // namespace jobq
