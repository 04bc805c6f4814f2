#include "core/store/link/redis_errors.h"

#include <array>

namespace jobq {
namespace {

using enum RedisMeans;
using enum ErrorCode;

// Of rows with one prefix the first that fits counts.
constexpr std::array kErrors{
    // What a server says that is the wrong one, or no good now.
    RedisError{"READONLY", "", leave_link, unavailable, "readonly",
               "Redis is a replica, which accepts no writes"},
    RedisError{"MASTERDOWN", "", leave_link, unavailable, "masterdown",
               "Redis is a replica that has lost its master"},
    RedisError{"LOADING", "", leave_link, unavailable, "loading", "Redis is loading its data"},
    RedisError{"NOAUTH", "", leave_link, unavailable, "noauth",
               "Redis no longer accepts jobqd's login"},
    RedisError{"WRONGPASS", "", leave_link, unavailable, "wrongpass",
               "Redis refuses jobqd's login"},
    RedisError{"DENIED", "", leave_link, unavailable, "denied",
               "Redis is in protected mode, which refuses clients from other hosts"},
    RedisError{"MOVED", "", leave_link, unavailable, "moved",
               "Redis is a node of a cluster, and another one has jobq's keys"},
    RedisError{"ASK", "", leave_link, unavailable, "ask",
               "Redis is a node of a cluster that is migrating jobq's keys"},
    RedisError{"REDIRECT", "", leave_link, unavailable, "redirect",
               "Redis redirects its clients to another server"},
    RedisError{"NOMASTERLINK", "", leave_link, unavailable, "nomasterlink",
               "Redis is a replica without a master"},
    RedisError{"ERR", "max number of clients", leave_link, unavailable, "maxclients",
               "Redis has reached its limit of clients"},
    RedisError{"ERR", "AUTH <password>", leave_link, unavailable, "noauth",
               "Redis refuses jobqd's login"},
    RedisError{"ERR", "invalid password", leave_link, unavailable, "wrongpass",
               "Redis refuses jobqd's login"},
    RedisError{"ERR", "operation not permitted", leave_link, unavailable, "noauth",
               "Redis no longer accepts jobqd's login"},
    RedisError{"ERR", "DB index", leave_link, unavailable, "database",
               "Redis has no database with this number"},
    RedisError{"ERR", "Protocol error", leave_link, unavailable, "protocol",
               "Redis could not parse a command"},
    // What passes while the link stays.
    RedisError{"NOREPLICAS", "", offer_again, unavailable, "noreplicas",
               "Redis has fewer good replicas than its min-replicas-to-write"},
    RedisError{"NOPERM", "", offer_again, unavailable, "noperm",
               "Redis does not permit this to jobqd's user"},
    RedisError{"ERR", "can't run this command", offer_again, unavailable, "noperm",
               "Redis does not permit this to jobqd's user"},
    RedisError{"ERR", "can't access at least one of the keys", offer_again, unavailable, "noperm",
               "Redis does not permit this to jobqd's user"},
    RedisError{"ERR", "Unknown Redis command", offer_again, unavailable, "noperm",
               "Redis lacks a command that jobq needs, because it was renamed or removed"},
    RedisError{"ERR", "unknown command", offer_again, unavailable, "noperm",
               "Redis lacks a command that jobq needs, because it was renamed or removed"},
    RedisError{"MISCONF", "", offer_again, storage_full, "misconf",
               "Redis can't write to its disk"},
    RedisError{"OOM", "", offer_again, storage_full, "oom", "Redis is at its memory limit"},
    RedisError{"BUSY", "", offer_again, unavailable, "busy", "Redis is busy with a script"},
    RedisError{"CLUSTERDOWN", "", offer_again, unavailable, "clusterdown",
               "Redis is a node of a cluster that is down"},
    RedisError{"TRYAGAIN", "", offer_again, unavailable, "tryagain",
               "Redis is a node of a cluster that is moving jobq's keys"},
    RedisError{"CROSSSLOT", "", offer_again, unavailable, "crossslot",
               "Redis is a node of a cluster that spreads jobq's keys"},
    RedisError{"ERR", "on cluster", offer_again, unavailable, "cluster",
               "Redis is a node of a cluster, which does not run this script"},
    RedisError{"UNKILLABLE", "", offer_again, unavailable, "busy", "Redis is busy with a script"},
    RedisError{"NOTBUSY", "", offer_again, unavailable, "notbusy", "Redis ended a script"},
    RedisError{"ERR", "Script killed", offer_again, unavailable, "killed",
               "somebody ended a script of jobq with SCRIPT KILL"},
    RedisError{"NOSCRIPT", "", offer_again, unavailable, "noscript",
               "Redis forgot a script of jobq"},
    RedisError{"UNBLOCKED", "", offer_again, unavailable, "unblocked", "Redis ended a wait"},
    RedisError{"INPROG", "", offer_again, unavailable, "inprog",
               "a failover of Redis is in progress"},
    RedisError{"NOGOODSLAVE", "", offer_again, unavailable, "failover",
               "a failover of Redis found no suitable replica"},
    RedisError{"NOQUORUM", "", offer_again, unavailable, "failover",
               "too few sentinels of Redis agree"},
    RedisError{"IOERR", "", offer_again, unavailable, "ioerr",
               "Redis could not reach another server"},
    RedisError{"NOSUB", "", offer_again, unavailable, "nosub",
               "Redis does not accept this command on a subscribed connection"},
    RedisError{"NOPROTO", "", offer_again, unavailable, "noproto",
               "Redis does not speak this version of its protocol"},
    RedisError{"EXECABORT", "", offer_again, unavailable, "execabort",
               "Redis aborted a transaction"},
    // The call itself is not right; what it does must not be lost for that.
    RedisError{"ERR", "string exceeds maximum", refuse_call, too_large, "toolarge",
               "Redis does not accept a string of this size"},
    RedisError{"WRONGTYPE", "", broken, internal, "wrongtype",
               "a key of jobq in Redis has a wrong type; run jobq doctor for details"},
    RedisError{"INVALIDOBJ", "", broken, internal, "invalidobj",
               "a key of jobq in Redis is damaged; run jobq doctor for details"},
    RedisError{"BUSYGROUP", "", broken, internal, "script", "Redis refused a script"},
    RedisError{"BUSYKEY", "", broken, internal, "script", "Redis refused a script"},
    RedisError{"NOGROUP", "", broken, internal, "script", "Redis refused a script"},
    RedisError{"ERR", "", broken, internal, "script", "Redis refused a script"},
    // Whatever else it may be.
    RedisError{"", "", offer_again, unavailable, "other", "Redis refuses for a reason of its own"},
};

bool fits(const RedisError& row, std::string_view reply) {
    if (row.prefix.empty()) return true;
    const bool word = reply.starts_with(row.prefix) &&
                      (reply.size() == row.prefix.size() || reply[row.prefix.size()] == ' ');
    return word && (row.has.empty() || reply.find(row.has) != reply.npos);
}

}  // namespace

std::span<const RedisError> redis_errors() {
    return kErrors;
}

const RedisError& redis_error_of(std::string_view reply) {
    for (const auto& row : kErrors)
        if (fits(row, reply)) return row;
    return kErrors.back();
}

Error error_of_redis(std::string_view reply) {
    const RedisError& row = redis_error_of(reply);
    std::string text(row.meaning);
    text.append(" (").append(reply).append(")");
    return {row.code, std::move(text)};
}

}  // namespace jobq
