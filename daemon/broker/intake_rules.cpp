#include "daemon/broker/intake_rules.h"

#include <algorithm>
#include <string>

#include "core/base/text.h"
#include "core/config/check.h"

namespace jobq::intake {
namespace {

std::optional<Error> reserved(const Job& job) {
    for (const auto& [what, name] : {std::pair("type", &job.type), {"queue", &job.queue}})
        if (name->starts_with(kReservedPrefix))
            return Error{ErrorCode::forbidden,
                         std::string("the ") + what + " " + printable(*name) +
                             " is reserved for jobqd; use a name that does not begin with " +
                             std::string(kReservedPrefix)};
    return std::nullopt;
}

// The pool of this kind that serves the queue; nullptr: none.
const PoolConfig* pool_of(PoolKind kind, const std::string& queue, const Config& config) {
    const auto serves = [&queue](const QueueWeight& one) { return one.name == queue; };
    for (const auto& [name, pool] : config.pools)
        if (pool.kind == kind && std::any_of(pool.queues.begin(), pool.queues.end(), serves))
            return &pool;
    return nullptr;
}

// How jobqd itself would come to run the type from the queue, where it can run that type.
std::string pool_advice(PoolKind kind, const std::string& type, const std::string& queue,
                        const Config& config) {
    if (const PoolConfig* pool = pool_of(kind, queue, config))
        return "add \"" + type + "\" to types of [pool." + pool->name + "]";
    const bool thread = kind == PoolKind::thread;
    return std::string("configure a pool with kind = \"") + (thread ? "thread" : "exec") +
           "\", queues = [\"" + queue + "\"]" + (thread ? ", types = [\"" + type + "\"]" : "");
}

}  // namespace

Error shutting_down() {
    return {ErrorCode::unavailable, "jobqd is shutting down; try again in a moment"};
}

bool refuses_commands(const Caller& caller, const Config& config) {
    return caller.open || !config.allow_run;
}

std::optional<Error> type_refusal(const Caller& caller, std::string_view type,
                                  const Config& config) {
    if (type != kCommandType || !refuses_commands(caller, config)) return std::nullopt;
    if (!config.allow_run)
        return Error{ErrorCode::forbidden,
                     "jobs of type run are not allowed here; set allow = true in [run] of jobqd's "
                     "configuration, or make the command a [type.NAME] and enqueue that"};
    return Error{ErrorCode::forbidden,
                 "jobs of type run are not accepted over TCP or HTTP without a password; use `jobq "
                 "run` on the Unix socket, set [listen] password_file, or make the command a "
                 "[type.NAME]"};
}

std::optional<Error> rerun_refusal(const Caller& caller, std::string_view type,
                                   const Config& config) {
    auto why = type_refusal(caller, type, config);
    if (why && config.allow_run)
        why->text =
            "jobs of type run are not run again over TCP or HTTP without a password; use jobq on "
            "the Unix socket, or set [listen] password_file";
    return why;
}

std::optional<Error> refusal(const Caller& caller, const Job& job, const Config& config) {
    auto why = reserved(job);
    if (!why) why = type_refusal(caller, job.type, config);
    if (why || job.webhook.empty()) return why;
    auto aim = check_webhook(config.webhook, job.webhook);
    if (aim) return std::nullopt;
    return aim.error();
}

std::optional<Error> durability_refusal(const Job& job, std::string_view given,
                                        const Config& config) {
    if (!job.durability) return std::nullopt;
    // What is not known is not claimed.
    if (*job.durability >= durability_of(given).value_or(Durability::memory)) return std::nullopt;
    const std::string asked(kDurabilityNames[size_t(*job.durability)]);
    const std::string own =
        "set redis.durability = \"" + asked + "\" in jobqd.toml and restart jobqd, or request less";
    const std::string others =
        "its Redis needs appendonly yes, no-appendfsync-on-rewrite no and appendfsync always or "
        "everysec, and jobqd's user there must be allowed CONFIG GET; or request less";
    return Error{ErrorCode::forbidden,
                 "durability " + asked + " exceeds that of the store, which is " +
                     std::string(given) + ": " + (config.redis.url.empty() ? own : others)};
}

std::string handler_advice(const std::string& type, const std::string& queue,
                           const Config& config) {
    const std::string worker = ", or start a worker for it";
    if (type == kCommandType) return pool_advice(PoolKind::exec, type, queue, config);
    if (std::count(kBuiltinTypes.begin(), kBuiltinTypes.end(), type) > 0)
        return pool_advice(PoolKind::thread, type, queue, config) + worker;
    const auto found = config.types.find(type);
    if (found != config.types.end() && !found->second.run.empty())
        return pool_advice(PoolKind::exec, type, queue, config) + worker;
    // A class name of some language can't be that of a section.
    if (!is_name(type)) return "start a worker for it, or configure a child pool with that queue";
    const bool served = pool_of(PoolKind::exec, queue, config) != nullptr;
    return "configure [type." + type + "] run = [...]" +
           (served ? "" : " and a pool with that queue") + worker;
}

}  // namespace jobq::intake
