// ImportStore: jobs of another store come in. Called for `jobq import` alone.
#pragma once

#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/job/imported.h"
#include "core/store/enqueued.h"

namespace jobq {

class ImportStore {
  public:
    virtual ~ImportStore() = default;

    // Jobs of another store, each in the state it had there. One result per job, in order: stored;
    // `same` when it was brought in before, within limits::kImportMarkMs, whatever has become of
    // it, or is live; duplicate: another live job has its jid. Requires: validate().
    virtual task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) = 0;
};

}  // namespace jobq
