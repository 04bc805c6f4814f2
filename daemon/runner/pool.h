// Pool: some slots and the queues they serve. Takes jobs by one long poll at a time: as many as it
// can start now and, when they are short, as many as will start while the next take is under way.
// What was taken ahead and finds no slot soon goes back to its queue; until that is recorded and a
// job has ended, nothing more is taken ahead: it would run before what went back. ExecPool and
// ChildPool say how many slots are free and how a job is started. Made, changed and retired by
// Runner.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "daemon/runner/broker_client.h"
#include "daemon/runner/hub.h"
#include "daemon/runner/reporter.h"
#include "daemon/runner/run_table.h"

namespace jobq {

// The queues in the order in which one TAKE is to look at them: as they are when strict, else by
// chance according to their weights.
std::vector<std::string> queue_order(const PoolSpec& pool, Rng& rng);

class Pool {
  public:
    Pool(Hub& hub, RunTable& runs, Reporter& reporter, JobRunEvents& events, PoolSpec spec);
    virtual ~Pool() = default;
    Pool(const Pool&) = delete;

    task<void> loop();
    // Starts what was taken ahead as slots become free; runs beside loop().
    task<void> starter();

    const PoolSpec& spec() const { return spec_; }

    virtual void update(PoolSpec spec) { spec_ = std::move(spec); }

    // Takes nothing more; what runs goes on.
    virtual void retire();

    bool retired() const { return retired_; }

    // The loop has ended and nothing of it runs.
    virtual bool over() const { return loops_ == 0 && runs_.count(spec_.name) == 0; }

    void close() { client_.close(); }

  protected:
    // How many jobs it could start now.
    virtual int free_slots() const = 0;
    virtual void start(TakenJob job) = 0;
    void not_started(const TakenJob& job, const Error& error);
    // Without spending an attempt.
    void give_back(std::vector<TakenJob> jobs, const std::string& why);

    Hub& hub_;
    RunTable& runs_;
    Reporter& reporter_;
    JobRunEvents events_;  // the runner's, seen by the pool first
    PoolSpec spec_;
    bool retired_ = false;

  private:
    task<bool> take();
    void accept(std::vector<TakenJob> jobs);
    // How many more jobs it should have: 0 also when so few are missing that a take can wait.
    int wanted() const;
    void start_waiting();
    void leave_loop();

    BrokerClient client_;
    RetryDelay delay_;
    int64_t take_us_ = 1'000, job_us_ = 100'000;  // moving averages
    std::optional<int64_t> asked_ms_;             // since when a take is under way
    bool waits_for_end_ = false;                  // jobs went back, and none has ended since
    int loops_ = 2;                               // that have not ended
};

}  // namespace jobq
