// greet(): what is said first on each connection to Redis: who we are, is this a Redis we can use,
// has it read its data yet.
#pragma once

#include <functional>
#include <string>

#include "daemon/redis/connection.h"
#include "daemon/redis/redis_url.h"

namespace jobq {

// The oldest Redis whose scripts know what ours use (flags of a script).
inline constexpr int kRedisMajorNeeded = 7;

// Returns when Redis takes commands. Waits out LOADING and BUSY as long as the connection lives,
// telling `on_loading` once. Errors: config (too old, wrong password, not a Redis: a person has to
// act), unavailable or unknown (the connection ended, or Redis refused for now).
task<Result<>> greet(UvReactor& reactor, RedisConnection& connection, RedisAddress address,
                     std::string client_name, std::function<void()> on_loading);

// The major version in the reply of INFO; 0: there is none in it.
int redis_major_version(std::string_view info);

}  // namespace jobq
