// Heart: the runner's heartbeat. Renews the lease for all that runs, takes jobqd's notices, asks
// for pools and types when the configuration changed, and ends the jobs when the lease can't be
// held.
//
//   away --(connected, first beat answered)--> online --(cut, no answer)--> away
//
// Must stay true: jobs are killed before the lease ends on this process's own monotonic clock,
// counted from when the last answered heartbeat was sent.
#pragma once

#include <functional>

#include "core/async/task.h"
#include "daemon/runner/broker_client.h"
#include "daemon/runner/hub.h"
#include "daemon/runner/reporter.h"
#include "daemon/runner/run_table.h"

namespace jobq {

class Heart {
  public:
    struct Events {
        std::function<void(const Assignment&)> on_assignment;
        std::function<void()> on_away;       // every connection is to be closed
        std::function<void()> on_terminate;  // jobqd asks this runner to stop
        std::function<void()> on_gone;       // idle, and jobqd stayed away too long
    };

    Heart(Hub& hub, RunTable& runs, Reporter& reporter, Events events);
    ~Heart();

    task<void> loop();

    // After loop() has ended, when nothing is left to report: jobqd need not wait for the lease.
    task<void> say_goodbye();

    void close() { client_.close(); }

  private:
    task<bool> reach();
    task<bool> beat();
    task<bool> ask_pools();
    std::vector<RunningJob> running() const;
    void obey(const Notices& notices, const std::vector<RunningJob>& asked);
    void lose(const std::string& jid, const std::vector<RunningJob>& asked);
    void go_away(const std::string& why);
    void arm_lease();
    void lease_ending();

    Hub& hub_;
    RunTable& runs_;
    Reporter& reporter_;
    Events events_;
    BrokerClient client_;
    RetryDelay delay_;
    std::string reached_error_;  // said once
    int64_t renewed_ms_ = 0;     // when the last answered heartbeat was sent
    int64_t away_since_ms_ = 0;
    TimerId lease_timer_ = 0;
    bool assigned_ = false;
};

}  // namespace jobq
