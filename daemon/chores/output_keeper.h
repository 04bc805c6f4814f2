// OutputKeeper: removes the files with output of jobs that are not kept any more.
#pragma once

#include "daemon/chores/chore.h"

namespace jobq {

class OutputKeeper final : public Chore {
  public:
    using Chore::Chore;

  private:
    task<void> run() override;
    task<void> look_at(std::vector<OutputFiles::Key> some);
};

}  // namespace jobq
