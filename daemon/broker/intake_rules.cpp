#include "daemon/broker/intake_rules.h"

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

}  // namespace jobq::intake
