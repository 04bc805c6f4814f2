// The table of what Redis can say: each row is met by its own words, none is final for the end of
// an attempt, and what is not in it passes.
#include "core/store/link/redis_errors.h"

#include <catch2/catch.hpp>
#include <set>

namespace jobq::test {

TEST_CASE("an error is final, or may be offered again, never both") {
    std::set<std::string_view> final;
    for (const auto& row : error_table()) {
        INFO(row.name);
        CHECK_FALSE((row.final && row.retryable));
        if (is_final(row.code)) final.insert(row.name);
    }
    CHECK(final == std::set<std::string_view>{"INVALID", "BAD_DATA", "TOO_LARGE", "NOT_FOUND",
                                              "DUPLICATE", "NOTUNIQUE", "CONFLICT", "LEASE_LOST"});
}

TEST_CASE("each row of the errors of Redis is met by its own words") {
    for (const auto& row : redis_errors()) {
        std::string reply(row.prefix);
        if (!row.has.empty()) reply += " " + std::string(row.has) + " and more";
        if (row.prefix.empty()) reply = "NEWWORD of a later Redis";
        INFO(reply);
        CHECK(&redis_error_of(reply) == &row);
        CHECK(&redis_error_of(reply + " script: 0123, on @user_script:5.") == &row);
        const Error error = error_of_redis(reply);
        CHECK(error.text.find(reply) != error.text.npos);
        CHECK(error.text.find(row.meaning) == 0);
        CHECK(row.reason.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == row.reason.npos);
        switch (row.means) {
            case RedisMeans::offer_again:
            case RedisMeans::leave_link:
                CHECK(info(error.code).retryable);
                break;
            case RedisMeans::refuse_call:
                CHECK_FALSE(info(error.code).retryable);
                break;
            case RedisMeans::broken:
                CHECK(error.code == ErrorCode::internal);
                CHECK_FALSE(is_final(error.code));
                break;
        }
    }
}

TEST_CASE("what Redis 7 says is told apart") {
    struct Said {
        const char* reply;
        RedisMeans means;
        ErrorCode code;
        const char* reason;
    };

    const Said said[] = {
        {"NOREPLICAS Not enough good replicas to write.", RedisMeans::offer_again,
         ErrorCode::unavailable, "noreplicas"},
        {"READONLY Can not run script with write flag on readonly replica", RedisMeans::leave_link,
         ErrorCode::unavailable, "readonly"},
        {"OOM allow-oom flag is not set on the script, can not run it when used memory > "
         "'maxmemory'",
         RedisMeans::offer_again, ErrorCode::storage_full, "oom"},
        {"ERR The user executing the script can't run this command or subcommand script: "
         "f0, on @user_script:7.",
         RedisMeans::offer_again, ErrorCode::unavailable, "noperm"},
        {"ERR The user executing the script can't access at least one of the keys mentioned in "
         "the command arguments script: f0, on @user_script:7.",
         RedisMeans::offer_again, ErrorCode::unavailable, "noperm"},
        {"NOPERM this user has no permissions to run the 'evalsha' command",
         RedisMeans::offer_again, ErrorCode::unavailable, "noperm"},
        {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
         RedisMeans::offer_again, ErrorCode::unavailable, "busy"},
        {"BUSYKEY Target key name already exists.", RedisMeans::broken, ErrorCode::internal,
         "script"},
        {"ERR user_script:3: Script attempted to access nonexistent global variable 'x' script: "
         "f0, on @user_script:3.",
         RedisMeans::broken, ErrorCode::internal, "script"},
        {"ASKING is no word of its own", RedisMeans::offer_again, ErrorCode::unavailable, "other"},
        {"", RedisMeans::offer_again, ErrorCode::unavailable, "other"},
    };
    for (const auto& one : said) {
        INFO(one.reply);
        const RedisError& row = redis_error_of(one.reply);
        CHECK(row.means == one.means);
        CHECK(row.code == one.code);
        CHECK(row.reason == one.reason);
    }
}

}  // namespace jobq::test
