// greet(): what is said first on each connection to Redis: who we are, is this a Redis we can use,
// has it read its data yet, does it take writes.
#pragma once

#include <functional>
#include <string>

#include "core/net/redis_url.h"
#include "daemon/redis/connection.h"

namespace jobq {

// The oldest Redis whose scripts know what ours use (flags of a script).
inline constexpr int kRedisMajorNeeded = 7;

// How far a Redis is that reads its data; zeros: it does not say.
struct Loading {
    int64_t loaded_bytes = 0, total_bytes = 0, left_s = 0;

    bool operator==(const Loading&) const = default;

    // For people; "": it does not say.
    std::string text() const;
};

struct Greeting {
    RedisAddress address;
    std::string client_name;
    std::string probe_key{};  // "": it need not take writes; else to be deleted, never there
    std::function<void(Loading)> on_loading{};  // told at first, and when it got further
};

// Returns when Redis takes commands. Waits out BUSY as long as the connection lives, and LOADING
// for a while: by then the name may stand for another server. Errors: config (too old, wrong
// password, not a Redis: a person has to act), unavailable or unknown (the connection ended, or
// Redis refused for now).
task<Result<>> greet(UvReactor& reactor, RedisConnection& connection, Greeting greeting);

// Why a Redis that answers so is left, for people.
std::string why_left(const RedisAddress& address, const std::string& reply);

// The major version in the reply of INFO; 0: there is none in it.
int redis_major_version(std::string_view info);

}  // namespace jobq
