// RedisJobs: the JobStore of RedisStore: what is asked in one turn goes out together.
#pragma once

#include <vector>

#include "core/store/job_store.h"
#include "core/store/redis/enqueuer.h"
#include "core/store/redis/fetcher.h"
#include "core/store/redis/finisher.h"

namespace jobq {

class RedisJobs : public virtual JobStore {
  public:
    RedisJobs(ScriptCaller& caller, JobReader& jobs)
        : enqueuer_(caller, jobs), fetcher_(caller), finisher_(caller) {}

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override {
        return enqueuer_.enqueue(std::move(jobs));
    }

    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override {
        return fetcher_.fetch(std::move(request));
    }

    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override {
        return finisher_.finish(std::move(batch));
    }

  private:
    Enqueuer enqueuer_;
    Fetcher fetcher_;
    Finisher finisher_;
};

}  // namespace jobq
