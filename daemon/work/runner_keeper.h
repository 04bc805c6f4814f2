// RunnerKeeper: starts the runner process of this daemon, notices its end at once, starts it again.
//
// The runner holds a lock in the state directory for as long as it lives, so a jobqd that comes up
// while the runner of the one before is still there finds it, lets it reconnect, and only watches
// it. Two runners of one directory never run side by side. One of another build than ours goes on
// with what it runs; once it runs nothing it may be told to end, and ours is started.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

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
        // What its jobs have between TERM and KILL, at most.
        std::function<int64_t()> longest_grace_ms;
    };

    // `on_end` is called when the runner's process is gone.
    RunnerKeeper(UvReactor& reactor, Settings settings, std::function<void()> on_end);
    ~RunnerKeeper();

    void start();
    // Instead: watches one that a jobqd of before has left, for stop(), and starts none; false:
    // there is none.
    bool find();
    // TERM, then KILL once it has had its time. Returns when it is gone.
    task<void> stop();
    // From now on it goes its own way.
    void leave();
    // Tells it to stop, or to hurry with a stop().
    void hurry();

    // Found running, and not of our program's file.
    bool is_outdated() const { return outdated_; }

  private:
    void launch();
    void again(std::string_view event, const std::string& why);
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
    bool stopping_ = false, outdated_ = false;
    Signal gone_;
};

}  // namespace jobq
