// RedisOwners: the OwnerStore of RedisStore.
#pragma once

#include <string>
#include <vector>

#include "core/store/link/script_caller.h"
#include "core/store/owner_store.h"

namespace jobq {

class RedisOwners : public virtual OwnerStore {
  public:
    explicit RedisOwners(ScriptCaller& caller) : caller_(caller) {}

    task<Result<>> beat(std::vector<std::string> owners) override;
    task<Result<std::vector<OwnerInfo>>> owners() override;
    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override;
    task<Result<std::vector<std::string>>> cancels() override;

  private:
    // Requires: at most limits::kScriptJobs jobs.
    task<Result<std::vector<Leased>>> take_over_part(std::string from, std::string to,
                                                     std::vector<LeaseName> some, int limit);

    ScriptCaller& caller_;
};

}  // namespace jobq
