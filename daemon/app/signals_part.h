// Signals: SIGTERM and SIGINT stop jobqd, SIGHUP reloads its configuration, SIGUSR2 restarts it.
// The first part that is started and the last that is stopped.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "daemon/app/part.h"
#include "daemon/loop/signals.h"

namespace jobq {

struct SignalCalls {
    std::function<void()> stop, reload, restart;
    std::function<bool()> restarts;  // what the stop is for, as it is now
};

class Signals final : public Part {
  public:
    Signals(UvReactor& reactor, SignalCalls calls) : reactor_(reactor), calls_(std::move(calls)) {}

    task<Result<>> start() override;
    task<void> stop(Ending ending) override;

  private:
    UvReactor& reactor_;
    SignalCalls calls_;
    std::vector<std::unique_ptr<SignalWatch>> watches_;
};

}  // namespace jobq
