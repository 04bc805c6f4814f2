// Every error that Redis 7.0, 7.2 and Valkey can answer, and what jobq does about it: one table,
// read by the store, by the link and by those who tell people why nothing is written.
//
// Must stay true: none of them is final (is_final() of core/base/error.h). Whatever Redis says, it
// was not said of the end of an attempt: that is kept and offered again. What is not in the table
// is taken for something that passes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

enum class RedisMeans : uint8_t {
    offer_again,  // it passes: the same call again later, on the same link
    leave_link,   // this server can't serve: its name is resolved anew, with pauses between
    refuse_call,  // this call as it is, whatever comes later
    broken,       // an invariant of jobq does not hold
};

struct RedisError {
    std::string_view prefix;  // its first word
    std::string_view has;     // what it must hold besides, "": anything
    RedisMeans means;
    ErrorCode code;
    std::string_view reason;   // one lower-case word, for metrics
    std::string_view meaning;  // for people: "Redis ..."
};

std::span<const RedisError> redis_errors();
// The row for an error reply, without its "-"; the last one for what is not in the table.
const RedisError& redis_error_of(std::string_view reply);
// What a caller of the store gets for it.
Error error_of_redis(std::string_view reply);

}  // namespace jobq
