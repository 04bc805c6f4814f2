// Reading a Redis; see redis_source.h. The only file of the command line that sees hiredis.
#include "cli/import/redis_source.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

// AUTH changes this connection alone.
constexpr std::array<std::string_view, 9> kReadOnly{"AUTH", "PING",   "TYPE",  "GET",   "SMEMBERS",
                                                    "LLEN", "LRANGE", "ZCARD", "ZRANGE"};

constexpr timeval kConnectLimit{2, 0}, kReplyLimit{30, 0};

struct Freed {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

std::string bytes_of(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
    return reply.str == nullptr ? std::string() : std::string(reply.str, reply.len);
}

redisContext* connect_to(const Endpoint& where) {
    if (where.is_unix()) return redisConnectUnixWithTimeout(where.unix_path.c_str(), kConnectLimit);
    return redisConnectWithTimeout(where.host.c_str(), where.port, kConnectLimit);
}

std::string text_of(const Endpoint& where) {
    return where.is_unix() ? where.unix_path
                           : host_text(where.host) + ":" + std::to_string(where.port);
}

}  // namespace

void RedisSource::Closer::operator()(redisContext* context) const {
    redisFree(context);
}

RedisSource::~RedisSource() = default;

Answer<RedisSource::Got> RedisSource::ask(const Words& command) {
    const auto known = std::find(kReadOnly.begin(), kReadOnly.end(), command.front());
    JOBQ_CHECK(known != kReadOnly.end());
    std::vector<const char*> words;
    std::vector<size_t> sizes;
    for (const auto& word : command) {
        words.push_back(word.data());
        sizes.push_back(word.size());
    }
    const std::unique_ptr<redisReply, Freed> reply(static_cast<redisReply*>(
        redisCommandArgv(context_.get(), int(words.size()), words.data(), sizes.data())));
    if (reply == nullptr)
        return give_up(kNoDaemon, "lost the connection to Redis at " + where_ + ": " +
                                      printable(context_->errstr));
    if (reply->type == REDIS_REPLY_ERROR) {
        const std::string said = printable(bytes_of(*reply));
        const bool loading = said.starts_with("LOADING");
        const bool shut = said.starts_with("NOAUTH") || said.starts_with("WRONGPASS");
        if (shut)
            return give_up(info(ErrorCode::unauthorized).exit_status,
                           "Redis at " + where_ + " requires a password: " + said,
                           "put it in the environment variable REDISCLI_AUTH");
        return give_up(loading ? kTryAgain : info(ErrorCode::internal).exit_status,
                       loading ? "loading" : "Redis at " + where_ + " answered: " + said);
    }
    Got got;
    got.is_number = reply->type == REDIS_REPLY_INTEGER;
    got.number = reply->integer;
    got.text = bytes_of(*reply);
    for (size_t i = 0; i < reply->elements; ++i)
        got.items.push_back(bytes_of(*reply->element[i]));
    return got;
}

Answer<RedisSource> RedisSource::open(const Endpoint& where) {
    RedisSource source(text_of(where));
    source.context_.reset(connect_to(where));
    if (source.context_ == nullptr || source.context_->err != 0)
        return give_up(kNoDaemon,
                       "no Redis answers at " + printable(source.where_) + ": " +
                           (source.context_ ? printable(source.context_->errstr) : "no memory"),
                       "start Faktory or its Redis, or use its file faktory.rdb instead");
    redisSetTimeout(source.context_.get(), kReplyLimit);
    const char* password = std::getenv("REDISCLI_AUTH");
    if (password != nullptr && *password != '\0') {
        const auto let_in = source.ask({"AUTH", password});
        if (!let_in) return tl::unexpected(let_in.error());
    }
    const auto pong = source.ask({"PING"});
    if (!pong) return tl::unexpected(pong.error());
    return source;
}

Answer<int64_t> RedisSource::number(const Words& command) {
    const auto got = ask(command);
    if (!got) return tl::unexpected(got.error());
    return got->is_number ? got->number : parse_int(got->text).value_or(0);
}

Answer<std::vector<std::string>> RedisSource::texts(const Words& command) {
    auto got = ask(command);
    if (!got) return tl::unexpected(got.error());
    return std::move(got->items);
}

Answer<std::string> RedisSource::text(const Words& command) {
    auto got = ask(command);
    if (!got) return tl::unexpected(got.error());
    return std::move(got->text);
}

}  // namespace jobq::cli
