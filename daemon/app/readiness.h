// Readiness: the last part that is started: jobqd serves, and says so.
#pragma once

#include "daemon/app/redis_part.h"
#include "daemon/app/state_files.h"

namespace jobq {

class Readiness final : public Part {
  public:
    Readiness(RedisPart& redis, DaemonStatus& status, StateFiles& files)
        : redis_(redis), status_(status), files_(files) {}

    task<Result<>> start() override {
        // The link may have dropped meanwhile; when it is back, StorePart says so.
        const bool reachable = redis_.link().state() == LinkState::ready;
        status_.state = reachable ? DaemonState::ready : DaemonState::store_down;
        files_.say_ready(status_);
        co_return Result<>{};
    }

  private:
    RedisPart& redis_;
    DaemonStatus& status_;
    StateFiles& files_;
};

}  // namespace jobq
