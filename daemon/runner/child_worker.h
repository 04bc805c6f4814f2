// ChildWorker: one long-lived process of a child pool and the job it holds, if any. Takes jobs as
// JSON lines on stdin, answers on stdout; stderr goes to the log of the job it holds.
//
//   waiting --(back-off over)--> idle <--(answered)--> busy
//      ^----------(died)-----------+--------(died: a crash of the job)
//   retiring (stdin closed, TERM, KILL) --> over
//
// Must stay true: a child holds one job at most, and each job it got ends exactly once.
#pragma once

#include <memory>
#include <string>

#include "daemon/loop/child.h"
#include "daemon/loop/pipe.h"
#include "daemon/runner/child_lines.h"
#include "daemon/runner/hub.h"
#include "daemon/runner/job_run.h"

namespace jobq {

class ChildWorker;

// The run of a job in a child. Stopping it means ending the child.
class ChildJob final : public JobRun {
  public:
    ChildJob(Hub& hub, JobRunEvents& events, TakenJob job, TypeSpec type);
    ~ChildJob() override;

    void stop(StopReason reason) override;
    void kill(StopReason reason) override;
    void read_output(bool reads) override;

  private:
    friend class ChildWorker;
    void held_by(ChildWorker* worker);
    void answered(const ChildMessage& message);
    // `unread`: it never saw the job.
    void child_died(const ChildEnd& end, bool unread);
    void finish(RunReport report);

    Hub& hub_;
    JobRunEvents& events_;
    TypeSpec type_;
    int64_t timeout_ms_;
    ChildWorker* worker_ = nullptr;  // until it is over
    TimerId timer_ = 0;              // the time limit, then the grace
};

class ChildWorker {
  public:
    // `on_change`: it became idle, or is over. Comes from the loop's turn.
    ChildWorker(Hub& hub, JobRunEvents& events, PoolSpec pool, std::function<void()> on_change);
    ~ChildWorker();
    ChildWorker(const ChildWorker&) = delete;

    bool idle() const { return state_ == State::idle && !retiring_; }

    bool over() const { return state_ == State::over; }

    bool retiring() const { return retiring_; }

    // Only when idle. The job must live until it told its end.
    void assign(ChildJob& job);
    // Ends once its job is done.
    void retire();

  private:
    friend class ChildJob;
    enum class State : uint8_t { waiting, idle, busy, over };

    void launch();
    Result<> spawn();
    void launch_later(const std::string& why);
    void read_lines();
    void on_line(std::string_view line);
    void on_unreadable(std::string_view line, const std::string& why);
    void refuse_answer(const std::string& why);
    void settle(const ChildMessage& message);
    void on_stderr(std::string_view bytes);

    void read_stderr(bool reads) { err_reader_->pause(!reads); }

    // TERM and KILL to the child and all that it started.
    void terminate();
    void kill();
    void died(const ChildEnd& end);
    void gone();
    void end_child();

    Hub& hub_;
    JobRunEvents& events_;
    PoolSpec pool_;
    std::function<void()> on_change_;
    State state_ = State::waiting;
    bool retiring_ = false, reading_planned_ = false;
    bool in_grace_ = false;  // terminated: what it started is waited for, too
    ChildEnd end_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<PipeWriter> input_;
    std::unique_ptr<PipeReader> out_reader_, err_reader_;
    std::string lines_;
    bool skipping_ = false;  // inside a line that is too long
    Capture idle_words_;     // stderr while it holds no job
    ChildJob* job_ = nullptr;
    size_t job_bytes_ = 0;  // of the line it was given
    int failures_ = 0;      // deaths in a row
    int64_t launched_ms_ = 0;
    TimerId timer_ = 0;  // the back-off, or the end of a retiring child
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace jobq
