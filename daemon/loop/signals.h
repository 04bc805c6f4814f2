// SignalWatch: calls back from the loop when a Unix signal arrives. For SIGTERM, SIGHUP and the
// like in main and the runner; child exits are Child's. Lives no longer than its reactor.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "daemon/loop/uv_reactor.h"

namespace jobq {

class SignalWatch {
  public:
    ~SignalWatch();  // the signal has its default effect again
    SignalWatch(const SignalWatch&) = delete;

  private:
    struct Impl;
    friend std::unique_ptr<SignalWatch> on_signal(UvReactor& reactor, int signo,
                                                  std::function<void()> fn);
    friend std::vector<int> hold(const std::vector<std::unique_ptr<SignalWatch>>& watches);
    SignalWatch() = default;

    Impl* impl_ = nullptr;
};

// `fn` is called from the loop's turn, any number of times, as long as the watch lives. Several
// watches of one signal are all called. Signals that come in quick succession may be one call.
[[nodiscard]] std::unique_ptr<SignalWatch> on_signal(UvReactor& reactor, int signo,
                                                     std::function<void()> fn);
// Before another program takes this process's place: the signals wait, without their watches too,
// until on_signal() is called for them there. Returns their numbers.
std::vector<int> hold(const std::vector<std::unique_ptr<SignalWatch>>& watches);
// Ends the watches of a process that is about to end: their signals have no effect any more.
// Without it a second SIGTERM in the last milliseconds of an orderly stop would kill.
void ignore_from_now(std::vector<std::unique_ptr<SignalWatch>> watches);

}  // namespace jobq
