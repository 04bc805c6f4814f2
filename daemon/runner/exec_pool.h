// ExecPool: one process per job, as many at once as it has slots.
// Made by Runner from what POOLS says.
#pragma once

#include <map>
#include <string>

#include "daemon/runner/launch.h"
#include "daemon/runner/pool.h"

namespace jobq {

class ExecPool final : public Pool {
  public:
    using Pool::Pool;

  protected:
    int free_slots() const override { return spec_.slots - runs_.count(spec_.name); }

    void start(TakenJob job) override;

  private:
    void refused(const TakenJob& job, const Launch& launch, Error error);

    // Programs that were open for writing when they were to start, since when.
    std::map<std::string, int64_t> written_;
};

}  // namespace jobq
