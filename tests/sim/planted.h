// PlantedStore: the model with one mistake in it. A run over it must be found broken: what never
// finds anything proves nothing.
#pragma once

#include <map>

#include "tests/sim/relay_store.h"
#include "tests/sim/world.h"

namespace jobq::sim {

class PlantedStore final : public RelayStore {
  public:
    PlantedStore(World& world, Store& below) : RelayStore(below), world_(world) {}

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override;
    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override;
    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override;
    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override;
    task<Result<Promoted>> promote(int64_t now_ms, int limit) override;
    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override;
    task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) override;
    task<Result<StoreStats>> stats() override;

  private:
    bool is(Mistake mistake) const { return world_.mistake == mistake; }

    World& world_;
    std::map<std::string, Leased> given_;
    int64_t hidden_ = 0;  // so many jobs too few are there; the figures do not show it
};

}  // namespace jobq::sim
