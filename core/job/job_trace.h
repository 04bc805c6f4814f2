// The trace of a job: ids made from what is stored of it anyway, so that jobqd may be restarted, or
// another jobqd go on, between any two spans and they still fit together. Called by the daemon's
// Tracer, and where traces come in.
//
//   the caller's span (traceparent)
//     enqueue                    one a job
//       wait    run              two an attempt: run is a child of its wait
//
// Must stay true: the id of a span depends on nothing but the job and the attempt. An attempt is
// named by its number and by when it was given out, as a job that is handed back has the same
// number again.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/trace_context.h"
#include "core/job/job.h"

namespace jobq {

enum class JobSpan : uint8_t { enqueue, wait, run };

// Of an enqueue: `attempt` and `started_ms` are 0. `started_ms`: of the lease.
SpanId span_id_of(const Job& job, JobSpan which, int attempt = 0, int64_t started_ms = 0);

// What the job says of its trace, if it does.
std::optional<TraceContext> given_trace(const Job& job);
// The id of the trace that begins with the job itself.
TraceId own_trace(const Job& job);
// Whether a trace that begins here is one of the `ratio` (0 to 1) that are kept. All who see the
// same trace decide alike.
bool keeps_trace(const TraceId& trace, double ratio);

}  // namespace jobq
