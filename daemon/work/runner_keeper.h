// RunnerKeeper: starts the runner process of this daemon, notices its end at once, starts it again.
//
// The runner holds a lock in the state directory for as long as it lives, so a jobqd that comes up
// while the runner of the one before is still there finds it, lets it reconnect, and only watches
// it. Two runners of one directory never run side by side.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/gate.h"
#include "daemon/loop/child.h"
#include "daemon/loop/fd_watch.h"

namespace jobq {

class RunnerKeeper {
  public:
    struct Settings {
        std::string program;    // this binary
        std::string state_dir;  // holds runner.lock
        std::string endpoint;   // "unix:PATH" of this daemon
        std::string wid;
        int64_t stop_timeout_ms = 0;
    };

    // `on_end` is called when the runner's process is gone.
    RunnerKeeper(UvReactor& reactor, Settings settings, std::function<void()> on_end);
    ~RunnerKeeper();

    void start();
    // TERM, then KILL once it has had its time. Returns when it is gone.
    task<void> stop();
    // Tells it to hurry with a stop().
    void hurry();

  private:
    void launch();
    void watch_old(int64_t pid);
    void ended();
    void signal(int number);

    UvReactor& reactor_;
    Settings settings_;
    std::function<void()> on_end_;
    std::unique_ptr<Child> child_;
    std::unique_ptr<PidWatch> old_;
    int64_t pid_ = 0;
    int64_t launched_ms_ = 0, pause_ms_ = 0;
    TimerId timer_ = 0;
    bool stopping_ = false;
    Signal gone_;
};

}  // namespace jobq
