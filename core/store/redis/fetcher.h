// Fetcher: fetch() of RedisStore. Many workers of one owner that ask for the same are one call.
#pragma once

#include <vector>

#include "core/store/coalescer.h"
#include "core/store/job_store.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class Fetcher {
  public:
    explicit Fetcher(ScriptCaller& caller);

    task<Result<std::vector<Leased>>> fetch(FetchRequest request);

  private:
    using Calls = Coalescer<FetchRequest, std::vector<Leased>>;
    using Batch = Calls::Batch;

    task<void> send(Batch batch);
    task<void> fetch_together(Batch group);
    task<Result<std::vector<Leased>>> fetch_for(FetchRequest request);

    ScriptCaller& caller_;
    Calls calls_;
};

}  // namespace jobq
