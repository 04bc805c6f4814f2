// Intake: who may have commands run. One rule for every door by which jobs come in: PUSH, PUSHB,
// ENQUEUE, IMPORT, callbacks of batches, HTTP; asked by Broker::not_allowed(). And for those by
// which stored ones are run again: RETRY, RETRY_DEAD, OPERATE, RELEASE, MUTATE, HTTP; asked by
// Broker::requeue() and release().
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/job/job.h"

namespace jobq {

struct Intake {
    // Anybody may have sent it: it came over TCP or HTTP, and no password was asked for.
    bool open = false;

    bool refuses_commands(const Config& config) const { return open || !config.allow_run; }

    // To run a stored one again.
    std::optional<Error> rerun_refusal(const std::string& type, const Config& config) const {
        auto why = refusal(type, config);
        if (why && config.allow_run)
            why->text =
                "a job of type run is not run again by who comes over TCP or HTTP without a "
                "password: use jobq on the Unix socket, or set [listen] password_file";
        return why;
    }

    std::optional<Error> refusal(const std::string& type, const Config& config) const {
        if (type != kCommandType) return std::nullopt;
        if (!config.allow_run)
            return Error{ErrorCode::forbidden,
                         "jobs of type run are not allowed here: set allow = true in [run] of "
                         "jobqd's configuration, or make the command a [type.NAME] and enqueue "
                         "that"};
        if (open)
            return Error{ErrorCode::forbidden,
                         "a job of type run is not taken over TCP or HTTP without a password: use "
                         "`jobq run` on the Unix socket, set [listen] password_file, or make the "
                         "command a [type.NAME]"};
        return std::nullopt;
    }
};

}  // namespace jobq
