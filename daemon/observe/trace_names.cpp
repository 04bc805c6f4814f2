#include "daemon/observe/trace_names.h"

#include "core/job/job_trace.h"

namespace jobq {

std::string TraceNames::traceparent_of(const Job& job, const JobRecord&, int64_t) const {
    return job.traceparent;
}

std::string TraceNames::trace_id_of(const Job& job) const {
    auto given = given_trace(job);
    return given ? hex(given->trace) : std::string();
}

const TraceNames& no_traces() {
    static const TraceNames kOff;
    return kOff;
}

}  // namespace jobq
