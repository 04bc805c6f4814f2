// Finisher: finish() of RedisStore. A batch is split into groups that one script call can do: by
// what happens, whose lease it was and which bucket keeps the record.
#pragma once

#include <vector>

#include "core/store/coalescer.h"
#include "core/store/job_store.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class Finisher {
  public:
    explicit Finisher(ScriptCaller& caller);

    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch);

  private:
    using Calls = Coalescer<Finish, bool>;
    using Batch = Calls::Batch;

    task<void> send(Batch batch);
    static void add_done(Command& args, const Batch& group);
    // The script that ends all of the group, and what it is given.
    const Script& ending_of(const Batch& group, int64_t now, Command* args) const;
    task<void> send_group(Batch group, int64_t now);

    ScriptCaller& caller_;
    Calls calls_;
};

}  // namespace jobq
