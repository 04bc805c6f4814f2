// The bugs on purpose that a store can have: see core/base/failpoint.h. They stand in a store of
// their own, before the one they spoil, and in no program but one built for tests/chaos.
#pragma once

#include "core/async/reactor.h"
#include "core/store/keys.h"
#include "core/store/link/redis_link.h"
#include "core/store/store.h"

namespace jobq {

// `below` as a jobqd with bugs sees it, kept until the program ends; in any other build `below`.
Store& with_failpoints(Store& below, Reactor& reactor, RedisLink& link, const Keys& keys);

}  // namespace jobq
