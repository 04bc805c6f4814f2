// RedisAddress: which Redis, as whom. From `[redis] url`, or made by PrivateRedis. The check of the
// configuration and the start read it by the one function below.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/net/endpoint.h"

namespace jobq {

struct RedisAddress {
    Endpoint endpoint;
    std::string user;      // "": Redis's default user
    std::string password;  // "": no AUTH
    int database = 0;

    // For people and logs: without the password.
    std::string text() const;
};

// redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], unix:PATH, unix://[[USER]:PASSWORD@]/PATH[?db=N].
// User and password are percent-decoded. Errors (invalid) say what is wrong with "it" and never
// show the password.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace jobq
