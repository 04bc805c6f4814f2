// Purger: removes what is past its retention.
#pragma once

#include "daemon/chores/chore.h"

namespace jobq {

class Purger final : public Chore {
  public:
    using Chore::Chore;

  private:
    task<void> run() override;
};

}  // namespace jobq
