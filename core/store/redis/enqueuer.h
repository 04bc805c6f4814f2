// Enqueuer: enqueue() of RedisStore. Few script calls for what many callers ask at once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/job/job.h"
#include "core/store/coalescer.h"
#include "core/store/enqueued.h"
#include "core/store/job_reader.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class Enqueuer {
  public:
    Enqueuer(ScriptCaller& caller, JobReader& jobs);

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs);

  private:
    using Calls = Coalescer<Job, Enqueued>;
    using Batch = Calls::Batch;

    task<void> send(Batch batch);
    task<void> send_push(std::string header, Batch batch, Batch* known);
    task<void> send_others(Batch batch);
    task<void> settle_known(Batch batch, std::vector<std::string> known);

    ScriptCaller& caller_;
    JobReader& jobs_;
    Calls calls_;
};

}  // namespace jobq
