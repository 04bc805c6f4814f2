// Simulated workers outside of jobqd: Runner, one process with a lease that it renews by heartbeats
// (jobqd's own runner, or `jobq work` elsewhere), and FaktoryWorker, which fetches one job at a
// time. They are killed, stand still for longer than their lease, come back late, and report what
// is not theirs any more. Each lives on the world's clock.
#pragma once

#include <deque>
#include <map>

#include "tests/sim/daemon.h"

namespace jobq::sim {

class Runner {
  public:
    // `local`: a child of the daemon's machine, whose death is seen at once.
    Runner(Cluster& cluster, std::string wid, int which, bool local);

    void start();

    // Told to go: takes nothing more, and leaves when it has nothing left.
    void retire() { retiring_ = true; }

    bool gone() const { return gone_; }

    void on_death(std::function<void()> fn) { on_death_ = std::move(fn); }

  private:
    struct Held {
        Leased lease;
        size_t run = 0;
        bool cancelled = false, lost = false, fenced = false, started = false;
    };

    task<void> taker();
    task<void> beater();
    task<void> run(std::string jid);
    task<void> report(std::shared_ptr<Held> held, Outcome outcome);
    // While it stands still.
    task<void> awake();
    task<void> leave();
    void stall();
    void die();
    void fence();

    Cluster& cluster_;
    World& world_;
    std::string wid_, owner_;
    int which_;
    WorkerKind kind_;
    std::map<std::string, std::shared_ptr<Held>> held_;
    int64_t renewed_ms_ = 0, still_until_ms_ = 0;
    bool dead_ = false, retiring_ = false, gone_ = false;
    std::function<void()> on_death_;
};

class FaktoryWorker {
  public:
    FaktoryWorker(Cluster& cluster, std::string wid, int which);

    void start();

    void retire() { retiring_ = true; }

    bool gone() const { return gone_; }

  private:
    task<void> work();
    task<void> run(Leased lease);

    Cluster& cluster_;
    World& world_;
    std::string wid_;
    int which_;
    bool retiring_ = false, gone_ = false;
};

}  // namespace jobq::sim
