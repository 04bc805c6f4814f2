// Store: where jobs live, as those see it who own it. Who only uses it needs one of its interfaces,
// each cut by who calls it: a header each. One coroutine per operation; each transition is one
// atomic step, each operation takes many jobs. RedisStore is the product;
// tests/support/memory_store is the model it is compared with.
//
// Invariants kept by every operation, by their names in jobq-guarantees(7):
//   S3  a running job has exactly one owner and one current token
//   S8  a live jid is in exactly one place: one queue list, one of the sets scheduled, retrying and
//       dead, or one owner's running hash; and its envelope is stored
// And: a unique lock, a queue's slot and a batch's count end in the step that ends their job's.
// Errors of a whole call: unavailable (not sent), unknown (sent, no answer: it may have happened),
// storage_full, internal. Errors of one job are in its own Result.
#pragma once

#include <functional>
#include <string>

#include "core/store/batch_store.h"
#include "core/store/control_store.h"
#include "core/store/import_store.h"
#include "core/store/job_reader.h"
#include "core/store/job_store.h"
#include "core/store/owner_store.h"
#include "core/store/store_figures.h"
#include "core/store/store_upkeep.h"

namespace jobq {

// Virtual: a class that has an interface's functions gives them to a store that inherits both.
class Store : public virtual JobStore,
              public virtual OwnerStore,
              public virtual BatchStore,
              public virtual ControlStore,
              public virtual ImportStore,
              public virtual JobReader,
              public virtual StoreFigures,
              public virtual StoreUpkeep {
  public:
    // Called with a queue that has something to fetch since another operation than enqueue, promote
    // or requeue: a callback of a batch, or a slot that became free. "": the schedule has more.
    void on_ready(std::function<void(const std::string& queue)> fn) { on_ready_ = std::move(fn); }

  protected:
    std::function<void(const std::string& queue)> on_ready_;
};

}  // namespace jobq
