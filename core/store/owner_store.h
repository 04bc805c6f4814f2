// OwnerStore: who holds leases, and whether they are alive. Called by those who keep leases, and by
// those who take over what the dead left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/async/task.h"
#include "core/base/error.h"
#include "core/store/lease.h"

namespace jobq {

struct OwnerInfo {
    std::string owner;
    int64_t beat = 0;  // counter raised by beat(); an observer times its changes
    int64_t running = 0;
};

class OwnerStore {
  public:
    virtual ~OwnerStore() = default;

    // Raises the beat of each owner.
    virtual task<Result<>> beat(std::vector<std::string> owners) = 0;
    virtual task<Result<std::vector<OwnerInfo>>> owners() = 0;
    // Moves what `from` holds, at most `limit` (or just `some`), to `to` with new tokens. Atomic:
    // from then on the old tokens are stale. Forgets `from` when nothing is left.
    virtual task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                        std::vector<LeaseName> some, int limit) = 0;
    // Running jobs that are to stop, whoever runs them.
    virtual task<Result<std::vector<std::string>>> cancels() = 0;
};

}  // namespace jobq
