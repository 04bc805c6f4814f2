// ChildPool: as many long-lived children as it has slots, each with one job at a time. For handlers
// whose start is slow.
#pragma once

#include <memory>
#include <vector>

#include "daemon/runner/child_worker.h"
#include "daemon/runner/pool.h"

namespace jobq {

class ChildPool final : public Pool {
  public:
    ChildPool(Hub& hub, RunTable& runs, Reporter& reporter, JobRunEvents& events, PoolSpec spec);
    ~ChildPool() override;

    // Another command, environment or folder: the children are replaced as their jobs end.
    void update(PoolSpec spec) override;
    void retire() override;
    bool over() const override;

  protected:
    int free_slots() const override;
    void start(TakenJob job) override;

  private:
    void fit();
    void changed();
    void tidy();

    std::vector<std::unique_ptr<ChildWorker>> workers_;
    TimerId tidy_timer_ = 0;
};

}  // namespace jobq
