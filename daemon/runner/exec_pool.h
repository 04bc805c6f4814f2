// ExecPool: one process per job, as many at once as it has slots.
// Made by Runner from what POOLS says.
#pragma once

#include "daemon/runner/pool.h"

namespace jobq {

class ExecPool final : public Pool {
  public:
    using Pool::Pool;

  protected:
    int free_slots() const override { return spec_.slots - runs_.count(spec_.name); }

    void start(TakenJob job) override;
};

}  // namespace jobq
