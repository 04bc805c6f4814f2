// TraceNames: what others are told of the trace that a job is in. While traces are off that is what
// the job came with; Tracer says more.
#pragma once

#include <cstdint>
#include <string>

#include "core/job/job.h"

namespace jobq {

class TraceNames {
  public:
    virtual ~TraceNames() = default;
    // What an attempt is told, JOBQ_TRACEPARENT; "" when there is nothing.
    virtual std::string traceparent_of(const Job& job, const JobRecord& record,
                                       int64_t leased_ms) const;
    // The id of its trace, for lines of the log; "" when there is none.
    virtual std::string trace_id_of(const Job& job) const;
};

// Traces are off.
const TraceNames& no_traces();

}  // namespace jobq
