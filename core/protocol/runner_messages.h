// What a runner and jobqd say to each other: the requests and answers of the verbs POOLS, TAKE,
// DONE, HEARTBEAT and OUTPUT as structs, each with its writer and its reader, so that both sides
// mean the same by construction. Shapes in jobq-protocol(7). Pure; used by daemon/runner, by
// daemon/server/verbs/runner and by the tests' fakes. Writers: runner_messages_write.cpp.
//
// Must stay true: what write_*() makes of a struct read_*() reads as the same struct; bytes that
// are not UTF-8 travel as base 64, never replaced; what is absent keeps its default, a member of
// the wrong kind makes the message unreadable as a whole (bad_data, invalid).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/job/decide.h"
#include "core/job/kept_output.h"

namespace jobq {

// "JOBQ VERB {...}" with its line's end.
std::string request_line(std::string_view verb, std::string_view body);

// POOLS: what a runner of this host is to run.
struct PoolsRequest {
    std::string runner;  // its name
};

struct PoolSpec {
    std::string name;
    PoolKind kind = PoolKind::exec;
    int slots = 1;
    std::vector<QueueWeight> queues;
    bool strict = true;
    std::vector<std::string> types;  // only these; empty: any. Never sent
    std::vector<std::string> run;    // child pools: what each child is
    std::map<std::string, std::string> env;
    std::string cwd;

    bool operator==(const PoolSpec&) const = default;
};

// Of a job whose type says nothing else.
inline constexpr int kJobUmask = 022;

struct TypeSpec {
    std::vector<std::string> run;
    int64_t timeout_ms = limits::kDefaultTimeoutMs;
    int64_t grace_ms = limits::kKillGraceMs;
    std::map<std::string, std::string> env;
    std::string cwd;
    int umask = kJobUmask;
    std::map<int, Outcome> exit;
    size_t output_head_bytes = limits::kOutputHeadBytes;
    size_t output_tail_bytes = limits::kOutputTailBytes;
    ExecLimits limits;
};

struct Assignment {
    std::vector<PoolSpec> pools;
    std::map<std::string, TypeSpec> types;
    bool run_allowed = false;
    std::string version;
};

std::string write(const PoolsRequest& request);
std::string write(const Assignment& assignment);
Result<Assignment> read_assignment(std::string_view text);

// TAKE: jobs under the worker's process lease.
struct TakeRequest {
    std::string pool;
    std::string config;  // the version of the assignment it goes by; "": not said
    std::vector<std::string> queues, types;  // types: only these; empty: any
    int count = 1;
    int64_t wait_ms = 0;
};

struct TakenJob {
    std::string jid, type, queue, token;
    int attempt = 1;
    int max_attempts = 0;    // 0: not said
    int64_t timeout_ms = 0;  // 0: the type's
    std::string deadline;    // RFC 3339
    std::string payload;     // JSON text
    std::string traceparent;
};

std::string write(const TakeRequest& request);
// Clamped: count to 1..limits::kListPageMax, wait_ms to 0..limits::kFetchWaitMaxMs.
Result<TakeRequest> read_take(std::string_view text);
std::string write(std::span<const TakenJob> jobs);
Result<std::vector<TakenJob>> read_taken(std::string_view text);

// DONE: ended attempts, until jobqd has answered for each.
struct DoneReport {
    std::string jid, token;
    RunReport run;  // worker "": the one that reports
};

struct DoneAnswer {
    std::string jid;
    bool ok = false;
    ErrorCode error = ErrorCode::internal;
};

std::string write(std::span<const DoneReport* const> reports);
Result<std::vector<DoneReport>> read_done(std::string_view text);
std::string write(std::span<const DoneAnswer> answers);
Result<std::vector<DoneAnswer>> read_done_answers(std::string_view text);

// HEARTBEAT: renews the lease and asks for news.
struct RunningJob {
    std::string jid, token;
    int64_t started_ms = 0;  // not read: jobqd has it
};

enum class BeatState : uint8_t { running, quiet, ended };  // ended: the last one of this process

struct HeartbeatRequest {
    std::vector<RunningJob> running;
    int64_t wait_ms = 0;
    BeatState state = BeatState::running;
};

// What a worker is to do: go on, take no more, or end.
enum class WorkerState : uint8_t { running, quiet, terminate };

struct Notices {
    std::vector<std::string> cancel, lost;  // ids of jobs
    WorkerState state = WorkerState::running;
    std::string config;  // its version
};

std::string write(const HeartbeatRequest& request);
// Clamped: wait_ms to 0..limits::kBeatEveryMs.
Result<HeartbeatRequest> read_heartbeat(std::string_view text);
std::string write(const Notices& notices);
Result<Notices> read_notices(std::string_view text);

// OUTPUT: what running jobs wrote since the last one, or a wait for room to send more.
struct OutputChunk {
    std::string jid, token;
    int attempt = 1;
    OutputPiece piece;
    bool followed = false;  // as jobqd last said; for one that was started since
};

struct OutputRequest {
    std::vector<OutputChunk> chunks;
    int64_t wait_ms = 0;  // without chunks: until there is room for a job of this worker
};

// How much a job may send now. `room` kNobody: nobody follows it, and what is not sent may go.
struct OutputRoom {
    static constexpr int64_t kNobody = -1;

    std::string jid;
    int64_t room = kNobody;
    bool known = true;  // false: what came of it was not taken, but may be later
};

std::string write(const OutputRequest& request);
// Clamped: wait_ms to 0..limits::kFetchWaitMaxMs.
Result<OutputRequest> read_output(std::string_view text);
std::string write(std::span<const OutputRoom> rooms);
// Of a jobqd that does not tell: none.
Result<std::vector<OutputRoom>> read_output_rooms(std::string_view text);

}  // namespace jobq
