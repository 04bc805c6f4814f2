// SignalWatch: calls back from the loop when a Unix signal arrives. For SIGTERM, SIGHUP and the
// like in main and the runner; child exits are Child's. Lives no longer than its reactor.
#pragma once

#include <functional>
#include <memory>

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
    SignalWatch() = default;

    Impl* impl_ = nullptr;
};

// `fn` is called from the loop's turn, any number of times, as long as the watch lives. Several
// watches of one signal are all called. Signals that come in quick succession may be one call.
[[nodiscard]] std::unique_ptr<SignalWatch> on_signal(UvReactor& reactor, int signo,
                                                     std::function<void()> fn);

}  // namespace jobq
