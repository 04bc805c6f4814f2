#include "core/store/redis_store.h"

#include "core/base/failpoint.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/store/answer_form.h"
#include "core/store/doctor.h"
#include "core/store/redis_errors.h"
#include "core/store/scripts.h"

namespace jobq {
namespace {

size_t weight_of(const Job& job) {
    return job.args.size() + job.custom.size() + 128;
}

size_t weight_of(const Finish& finish) {
    return finish.final.result.size() + finish.log.size() + 128;
}

}  // namespace

RedisStore::RedisStore(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options)
    : reactor_(reactor),
      link_(link),
      keys_(std::move(keys)),
      options_(std::move(options)),
      enqueue_(
          reactor, {limits::kScriptJobs, limits::kScriptBytes, options_.calls_in_flight},
          [](const Job& job) { return weight_of(job); },
          [this](EnqueueCoalescer::Batch batch) {
              tell(StoreBatch::enqueue, batch.size());
              return send_enqueue(std::move(batch));
          }),
      fetch_(
          reactor, {limits::kScriptJobs, limits::kScriptBytes, options_.calls_in_flight},
          [](const FetchRequest&) { return size_t(1); },
          [this](FetchCoalescer::Batch batch) {
              tell(StoreBatch::fetch, batch.size());
              return send_fetch(std::move(batch));
          }),
      finish_(
          reactor, {limits::kScriptJobs, limits::kScriptBytes, options_.calls_in_flight},
          [](const Finish& finish) { return weight_of(finish); },
          [this](FinishCoalescer::Batch batch) {
              tell(StoreBatch::finish, batch.size());
              return send_finish(std::move(batch));
          }) {
    if (options_.token_prefix.empty()) {
        uint64_t random = random_u64();
        options_.token_prefix =
            hex({reinterpret_cast<const char*>(&random), 6});  // 48 bits tell processes apart
    }
}

task<Result<Reply>> RedisStore::run(const Script& script, Command args, size_t jobs) {
    const ScriptKind kind = script.kind;
    const size_t bytes = args.bytes();
    if (options_.gate) {
        auto refused = options_.gate->refuse(kind, bytes);
        if (refused) co_return tl::unexpected<Error>(std::move(*refused));
    }
    Command call("EVALSHA", script.sha, std::string_view("1"), keys_.prefix());
    call.add_all(args);
    auto reply = co_await link_.call(std::move(call));
    if (reply && reply->is_error() && reply->text.rfind("NOSCRIPT", 0) == 0) {
        Command again("EVAL", script.text, std::string_view("1"), keys_.prefix());
        again.add_all(args);
        reply = co_await link_.call(std::move(again));
    }
    ScriptAnswer answer{kind, bytes, script.name};
    answer.heard = reply.has_value();
    if (reply && reply->is_error()) {
        answer.error = &redis_error_of(reply->text);
        answer.text = reply->text;
    }
    if (options_.gate) options_.gate->answered(answer);
    if (answer.error) {
        Error error = error_of_redis(reply->text);
        // Too large to be added is for the caller; whatever ends or moves jobs must not be lost.
        if (kind != ScriptKind::adds && is_final(error.code)) error.code = ErrorCode::internal;
        if (kind != ScriptKind::adds && JOBQ_FAILPOINT(refusal_final))
            error.code = ErrorCode::conflict;
        co_return tl::unexpected<Error>(std::move(error));
    }
    if (!reply) co_return reply;
    auto good = check_answer(script, *reply, jobs);
    if (!good) co_return tl::unexpected<Error>(std::move(good.error()));
    co_return reply;
}

task<Result<>> RedisStore::open() {
    for (const auto& script : all_scripts()) {
        Command load("SCRIPT", std::string_view("LOAD"), script.text);
        auto reply = co_await link_.call(std::move(load));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        if (reply->is_error()) co_return tl::unexpected<Error>(error_of_redis(reply->text));
        if (reply->text != script.sha)
            co_return fail(ErrorCode::config, "Redis returned a wrong digest for the script " +
                                                  std::string(script.name) +
                                                  ", so it is probably not a Redis server");
    }
    // A Redis that takes no writes now is one all the same: nothing is written that is there.
    Command look("GET", keys_.of("schema"));
    auto schema = co_await link_.call(std::move(look));
    if (schema && schema->is_nil()) {
        Command make("SET", keys_.of("schema"), std::to_string(kStoreSchema),
                     std::string_view("NX"), std::string_view("GET"));
        schema = co_await link_.call(std::move(make));
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
        Command raise("SET", keys_.of("schema"), std::to_string(kStoreSchema));
        auto raised = co_await link_.call(std::move(raise));
        if (!raised) co_return tl::unexpected<Error>(raised.error());
        if (raised->is_error()) co_return tl::unexpected<Error>(error_of_redis(raised->text));
    }
    co_return Result<>{};
}

task<Result<>> RedisStore::adopt() {
    // A Redis that takes no writes now may have it all.
    Command look("HGET", keys_.of("stat"), std::string_view("adopted"));
    auto adopted = co_await link_.call(std::move(look));
    if (!adopted) co_return tl::unexpected<Error>(adopted.error());
    std::string cursor = adopted->text == "1" ? "" : "0";
    while (!cursor.empty()) {
        Command args;
        args.add(cursor);
        auto reply = co_await run(scripts::adopt, std::move(args));
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
            auto reply = co_await run(scripts::unpark, std::move(args));
            if (!reply) co_return tl::unexpected<Error>(reply.error());
            moved = integer_of(*reply);
        }
    }
    co_return Result<>{};
}

std::unique_ptr<Checkup> RedisStore::checkup(bool fix) {
    return std::make_unique<Doctor>(*this, fix);
}

void RedisStore::tell_ready(const Reply& reply, size_t from) {
    for (size_t i = from; i < reply.items.size(); ++i)
        if (on_ready_) on_ready_(reply.items[i].text);
}

std::string RedisStore::next_token() {
    return options_.token_prefix + "-" + std::to_string(++tokens_);
}

std::string header_of(const std::string& queue, int priority) {
    return std::to_string(priority) + queue;
}

std::string member_of(const std::string& queue, int priority, const std::string& jid) {
    return header_of(queue, priority) + " " + jid;
}

int64_t integer_of(const Reply& reply) {
    if (reply.kind == Reply::Kind::integer) return reply.integer;
    return parse_int(reply.text).value_or(0);
}

}  // namespace jobq
