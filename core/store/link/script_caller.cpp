#include "core/store/link/script_caller.h"

#include <algorithm>

#include "core/base/id.h"
#include "core/base/text.h"
#include "core/store/link/answer_form.h"
#include "core/store/link/redis_errors.h"

namespace jobq {

ScriptCaller::ScriptCaller(Reactor& reactor, RedisLink& link, Keys keys, RedisStoreOptions options,
                           Ready ready)
    : reactor_(reactor),
      link_(link),
      keys_(std::move(keys)),
      options_(std::move(options)),
      ready_(std::move(ready)) {
    if (options_.token_prefix.empty()) {
        uint64_t random = random_u64();
        options_.token_prefix =
            hex({reinterpret_cast<const char*>(&random), 6});  // 48 bits tell processes apart
    }
}

task<Result<Reply>> ScriptCaller::run(const Script& script, Command args, size_t jobs) {
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
        co_return tl::unexpected<Error>(std::move(error));
    }
    if (!reply) co_return reply;
    auto good = check_answer(script, *reply, jobs);
    if (!good) co_return tl::unexpected<Error>(std::move(good.error()));
    co_return reply;
}

task<Result<Reply>> ScriptCaller::call(Command command) {
    return link_.call(std::move(command));
}

task<Result<>> ScriptCaller::load() {
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
    co_return Result<>{};
}

task<void> ScriptCaller::hint(std::string word, std::vector<std::string> jids) {
    constexpr size_t kJids = 100;  // of one message
    for (size_t from = 0; options_.publish_hints && from < jids.size(); from += kJids) {
        std::string text(1, kJobHint);
        text += word;
        for (size_t i = from; i < std::min(jids.size(), from + kJids); ++i)
            text += ' ' + jids[i];
        // Heard or not: who waits looks by itself, a little later.
        Command told("PUBLISH", keys_.hint_channel(), text);
        co_await link_.call(std::move(told));
    }
}

void ScriptCaller::tell_ready(const Reply& reply, size_t from) const {
    for (size_t i = from; i < reply.items.size(); ++i)
        ready_(reply.items[i].text);
}

std::string ScriptCaller::next_token() {
    return options_.token_prefix + "-" + std::to_string(++tokens_);
}

}  // namespace jobq
