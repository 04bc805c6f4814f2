// Jobs on the wire. PUSH's object is Faktory's (reference: Faktory Work Protocol 2, section 5),
// with its checks in its order and its texts; JOBQ ENQUEUE's is jobq's own. Both become a Job; args
// stay the bytes that came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/job/job.h"
#include "core/json/fields.h"

namespace jobq {

// PUSH, and each element of PUSHB. `text` of the error is what follows "-ERR ".
Result<Job> parse_push(std::string_view json, int64_t now_ms);

struct BulkPush {
    std::vector<Job> jobs;
    std::vector<std::pair<std::string, std::string>> refused;  // jid, why
};

// PUSHB. One job of a wrong type fails them all, as Faktory has it; others are refused by name.
Result<BulkPush> parse_push_bulk(std::string_view json, int64_t now_ms);

// What the store refused a pushed job for, in the protocol's words.
Error push_refusal(Error error, const std::string& jid);

// A callback of BATCH NEW `bid`, whose parent is `parent` or "". It may lack a jid, then it gets
// `new_jid`, and args.
Result<Job> parse_callback(std::string_view json, int64_t now_ms, std::string_view bid,
                           std::string_view parent, std::string new_jid);

struct EnqueueRequest {
    Job job;
    bool late = false;  // run_at was in the past: it runs now

    // Moves the job out, to be stored; what its answer needs to know of it stays.
    Job take_job();
};

// JOBQ ENQUEUE. `new_jid` is used when the client gave none.
Result<EnqueueRequest> parse_enqueue(std::string_view json, int64_t now_ms, std::string new_jid);

// The job as FETCH gives it to a worker that did not opt in: Faktory's keys alone, no line breaks.
// `traceparent`: of the attempt; "": none.
std::string faktory_job(const Job& job, const JobRecord& record, int64_t now_ms,
                        std::string_view traceparent = {});
// The same as Faktory stores it, compact, in Go's spelling of JSON: what MUTATE's glob looks at.
std::string faktory_payload(const Job& job, const JobRecord& record, int64_t now_ms);

}  // namespace jobq
