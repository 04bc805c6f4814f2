// OrphanSweeper: the processes of each job: stops all of them, and ends what a job leaves behind.
// While its first process (the leader) lives, all that it started descends from it: it is their
// subreaper, whatever sessions and environments they made for themselves. When it has ended they
// come to us; then they have the rest of the job's grace, if it is being stopped, and are killed.
// One per runner; ProcessJob and ChildWorker enter their leaders and leave them at their end.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "daemon/loop/child.h"
#include "daemon/loop/orphans.h"
#include "daemon/loop/process_tree.h"
#include "daemon/loop/uv_reactor.h"
#include "daemon/runner/runner_guard.h"

namespace jobq {

class OrphanSweeper {
  public:
    // `guard` may be null; it is told of each session too.
    explicit OrphanSweeper(UvReactor& reactor, RunnerGuard* guard = nullptr)
        : reactor_(reactor), guard_(guard) {}

    ~OrphanSweeper();
    OrphanSweeper(const OrphanSweeper&) = delete;

    // Before a start, for SpawnPlan::pid_note; then one of the two below.
    int* reserve() { return guard_ ? guard_->reserve() : nullptr; }

    void not_started(int* place) {
        if (guard_) guard_->give_back(place);
    }

    // The leader's pid is its session. `jid` may be "" (a child of a child pool).
    void enter(int leader, const std::string& jid);
    // SIGTERM to the leader and to all that it started, each once. What they start afterwards, to
    // tidy up, gets none.
    void terminate(Child& leader);
    // SIGKILL; what slips through comes to us, and goes at leave().
    void kill(Child& leader);
    // The leader has ended: `on_gone` is called from the loop when nothing of it is left, unless
    // leave() comes first.
    void linger(int leader, std::function<void()> on_gone);
    // Sweeps at once, and again until nothing of it is left.
    void leave(int leader);

    // For tests and the stop: nothing was found in the last sweep.
    bool clean() const { return clean_; }

  private:
    struct Family {
        std::string jid;
        std::set<ProcessId> noted;  // of the leader's descendants, when they were last looked at
        bool lingers = false;
        int living = 0;  // in this sweep
        std::function<void()> on_gone;
    };

    void note(int leader);
    void signal_noted(int leader, int number);
    Family* family_of(const Orphan& orphan);
    void tell_gone();
    void sweep();

    UvReactor& reactor_;
    RunnerGuard* guard_;
    std::map<int, Family> families_;  // by their leader
    TimerId timer_ = 0;
    bool clean_ = true;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace jobq
