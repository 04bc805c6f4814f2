#include "core/store/redis/redis_store.h"

#include "core/store/link/redis_errors.h"
#include "core/store/link/scripts.h"

namespace jobq {

RedisStore::RedisStore(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options)
    : CallerOfStore{{reactor, link, std::move(keys), std::move(options),
                     [this](const std::string& queue) {
                         if (on_ready_) on_ready_(queue);
                     }}},
      RedisReader(caller),
      RedisFigures(caller),
      RedisJobs(caller, *this),
      RedisOwners(caller),
      RedisBatches(caller),
      RedisControl(caller, *this, *this),
      RedisImports(caller, *this),
      RedisUpkeep(caller, *this) {}

task<Result<>> RedisStore::open() {
    auto loaded = co_await caller.load();
    if (!loaded) co_return loaded;
    // A Redis that takes no writes now is one all the same: nothing is written that is there.
    Command look("GET", caller.keys().of("schema"));
    auto schema = co_await caller.call(std::move(look));
    if (schema && schema->is_nil()) {
        Command make("SET", caller.keys().of("schema"), std::to_string(kStoreSchema),
                     std::string_view("NX"), std::string_view("GET"));
        schema = co_await caller.call(std::move(make));
    }
    if (!schema) co_return tl::unexpected<Error>(schema.error());
    if (schema->is_error()) co_return tl::unexpected<Error>(error_of_redis(schema->text));
    if (integer_of(*schema) > kStoreSchema)
        co_return fail(
            ErrorCode::config,
            "the store has schema " + schema->text + ", but this jobqd supports only up to " +
                std::to_string(kStoreSchema) +
                ". A newer jobqd used the store. Install that version again, or use another store");
    auto adopted = co_await adopt();
    if (!adopted) co_return adopted;
    if (!schema->is_nil() && integer_of(*schema) < kStoreSchema) {
        auto migrated = co_await migrate();
        if (!migrated) co_return migrated;
        Command raise("SET", caller.keys().of("schema"), std::to_string(kStoreSchema));
        auto raised = co_await caller.call(std::move(raise));
        if (!raised) co_return tl::unexpected<Error>(raised.error());
        if (raised->is_error()) co_return tl::unexpected<Error>(error_of_redis(raised->text));
    }
    co_return Result<>{};
}

task<Result<>> RedisStore::adopt() {
    // A Redis that takes no writes now may have it all.
    Command look("HGET", caller.keys().of("stat"), std::string_view("adopted"));
    auto adopted = co_await caller.call(std::move(look));
    if (!adopted) co_return tl::unexpected<Error>(adopted.error());
    std::string cursor = adopted->text == "1" ? "" : "0";
    while (!cursor.empty()) {
        Command args;
        args.add(cursor);
        auto reply = co_await caller.run(scripts::adopt, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        cursor = reply->text;
    }
    co_return Result<>{};
}

task<Result<>> RedisStore::migrate() {
    auto all = co_await queues(false);
    if (!all) co_return tl::unexpected<Error>(all.error());
    for (const auto& queue : *all) {
        int64_t moved = limits::kScriptJobs;
        while (moved == int64_t(limits::kScriptJobs)) {
            Command args;
            args.add(queue.name).add(int64_t(limits::kScriptJobs));
            auto reply = co_await caller.run(scripts::unpark, std::move(args));
            if (!reply) co_return tl::unexpected<Error>(reply.error());
            moved = integer_of(*reply);
        }
    }
    co_return Result<>{};
}

}  // namespace jobq
