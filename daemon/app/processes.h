// Processes: an eye on the processes of local workers, so that the end of one is noticed at once.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "daemon/app/upkeep.h"
#include "daemon/loop/fd_watch.h"
#include "daemon/server/views.h"

namespace jobq {

class Processes final : public Part, public ProcessWatch {
  public:
    Processes(UvReactor& reactor, Workers& workers, Upkeep& upkeep)
        : reactor_(reactor), workers_(workers), upkeep_(upkeep) {}

    task<void> stop(Ending ending) override;

    void watch(const std::shared_ptr<Worker>& worker, int64_t pid) override;

  private:
    struct Process {
        std::unique_ptr<PidWatch> watch;
        std::set<std::string> wids;
    };

    void ended(int64_t pid);

    UvReactor& reactor_;
    Workers& workers_;
    Upkeep& upkeep_;
    std::map<int64_t, Process> processes_;  // by pid
    bool stopped_ = false;
};

}  // namespace jobq
