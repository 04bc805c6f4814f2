// The bugs on purpose that a store can have: see core/base/failpoint.h. They stand in a store of
// their own, before the one they spoil, and in no program but one built for tests/chaos.
#pragma once

#include <memory>

#include "core/async/reactor.h"
#include "core/store/keys.h"
#include "core/store/link/redis_link.h"
#include "core/store/store.h"

namespace jobq {

// `below`, which outlives it, as a jobqd with bugs sees it; null in any other build.
std::unique_ptr<Store> with_failpoints(Store& below, Reactor& reactor, RedisLink& link,
                                       const Keys& keys);

}  // namespace jobq
