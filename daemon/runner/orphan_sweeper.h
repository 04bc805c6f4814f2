// OrphanSweeper: ends what jobs leave behind. A process that came to us as an orphan lives as long
// as the job whose session or JOBQ_JID it has; one that belongs to no running job is killed.
// One per runner; ProcessJob and ChildWorker enter their sessions and leave them at their end.
#pragma once

#include <map>
#include <string>

#include "daemon/loop/uv_reactor.h"
#include "daemon/runner/guard.h"

namespace jobq {

class OrphanSweeper {
  public:
    // `guard` may be null; it is told of each session too.
    explicit OrphanSweeper(UvReactor& reactor, Guard* guard = nullptr)
        : reactor_(reactor), guard_(guard) {}

    ~OrphanSweeper();
    OrphanSweeper(const OrphanSweeper&) = delete;

    // Before a start, for SpawnPlan::pid_note; then one of the two below.
    int* reserve() { return guard_ ? guard_->reserve() : nullptr; }

    void not_started(int* place) {
        if (guard_) guard_->give_back(place);
    }

    // The leader's pid is its session. `jid` may be "" (a child of a child pool).
    void enter(int session, const std::string& jid);
    // Sweeps at once, and again until nothing of it is left.
    void leave(int session);

    // For tests and the stop: nothing was found in the last sweep.
    bool clean() const { return clean_; }

  private:
    void sweep();

    UvReactor& reactor_;
    Guard* guard_;
    std::map<int, std::string> sessions_;
    TimerId timer_ = 0;
    bool clean_ = true;
};

}  // namespace jobq
