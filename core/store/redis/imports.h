// RedisImports: the ImportStore of RedisStore. Not coalesced: one caller, large batches.
// Must stay true: a jid that was brought in is not brought in again while its mark is kept,
// whatever has become of it here.
#pragma once

#include <vector>

#include "core/store/import_store.h"
#include "core/store/job_reader.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class RedisImports : public virtual ImportStore {
  public:
    RedisImports(ScriptCaller& caller, JobReader& jobs) : caller_(caller), jobs_(jobs) {}

    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) override;

  private:
    task<Result<>> bring_in_part(const std::vector<Imported>* jobs, size_t from, size_t to,
                                 std::vector<Result<Enqueued>>* results,
                                 std::vector<size_t>* undecided);

    ScriptCaller& caller_;
    JobReader& jobs_;
};

}  // namespace jobq
