// Intake: may this job come in, and may a stored one be run again? Pure rules, one place for every
// door: PUSH, PUSHB, ENQUEUE, IMPORT, callbacks of batches and HTTP ask by Broker::enqueue() and
// not_allowed(); RETRY, RETRY_DEAD, OPERATE, RELEASE, MUTATE and HTTP by Broker::requeue() and
// release(). Later quotas and tenants belong here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/job/job.h"
#include "daemon/broker/caller.h"

namespace jobq::intake {

// What clients are told that come too late.
Error shutting_down();

// Whether `caller` may have no command run.
bool refuses_commands(const Caller& caller, const Config& config);
// Nothing: a job of this type may be run for `caller`.
std::optional<Error> type_refusal(const Caller& caller, std::string_view type,
                                  const Config& config);
// Likewise, of a stored one that is to be run again.
std::optional<Error> rerun_refusal(const Caller& caller, std::string_view type,
                                   const Config& config);
// Nothing: `job` may come in: its names are not jobqd's own, its type and its webhook are allowed.
std::optional<Error> refusal(const Caller& caller, const Job& job, const Config& config);
// Nothing: the store, whose durability is `given` ("unknown": not known), keeps it as it asks to
// be.
std::optional<Error> durability_refusal(const Job& job, std::string_view given,
                                        const Config& config);
// What would make something of this configuration, or a worker, run jobs of this type from this
// queue, when nothing does.
std::string handler_advice(const std::string& type, const std::string& queue, const Config& config);

}  // namespace jobq::intake
