// RedisStore: the Store on one Redis, put together of a class for each interface. They share one
// ScriptCaller, and those that must know a job before they change it ask the reader.
#pragma once

#include "core/store/link/script_caller.h"
#include "core/store/redis/batches.h"
#include "core/store/redis/control.h"
#include "core/store/redis/figures.h"
#include "core/store/redis/imports.h"
#include "core/store/redis/jobs.h"
#include "core/store/redis/owners.h"
#include "core/store/redis/reader.h"
#include "core/store/redis/redis_upkeep.h"
#include "core/store/store.h"

namespace jobq {

// A base, as the other bases need it when they are made.
struct CallerOfStore {
    ScriptCaller caller;
};

class RedisStore final : private CallerOfStore,
                         public Store,
                         public RedisReader,
                         public RedisFigures,
                         public RedisJobs,
                         public RedisOwners,
                         public RedisBatches,
                         public RedisControl,
                         public RedisImports,
                         public RedisUpkeep {
  public:
    RedisStore(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options);

    // Loads the scripts and checks the schema, making it in an empty store. config: the store is
    // newer than this program. Called whenever the link becomes ready.
    task<Result<>> open();

  private:
    // What a store of an older jobqd had before names and failed held it.
    task<Result<>> adopt();
    // Of a store of an older schema: what it had otherwise is as it is today.
    task<Result<>> migrate();
};

}  // namespace jobq
