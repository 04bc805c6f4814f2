// A jid, or an idempotency key, that a job has already: what that means for a new one. The rule of
// jobq-guarantees(7), "Once".
#pragma once

#include <optional>

#include "core/job/job.h"
#include "core/store/enqueued.h"
#include "core/store/job_reader.h"

namespace jobq {

// The answer to the enqueue of `job`, as `known` has its jid. Nothing: the job is to be stored, as
// `known` is over.
std::optional<Result<Enqueued>> answer_for_known(const Job& job, const JobView& known,
                                                 int64_t now_ms);
// The same, as `known` has its idempotency key.
Result<Enqueued> answer_for_key(const Job& job, const JobView& known);

}  // namespace jobq
