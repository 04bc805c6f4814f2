// HintRouter: passes on what the store and other daemons say has changed: to those who wait for
// jobs, to those who run them, and to those who watch them.
#pragma once

#include <string>

#include "core/store/store.h"
#include "daemon/broker/job_control.h"

namespace jobq {

class HintRouter {
  public:
    // From now on the store's own come here.
    HintRouter(Store& store, Wakeups& wakeups, Watchers& watchers, JobControl& control);

    // See hint.h.
    void take(const std::string& text);

  private:
    Wakeups& wakeups_;
    Watchers& watchers_;
    JobControl& control_;
};

}  // namespace jobq
