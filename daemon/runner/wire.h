// What a runner and jobqd say to each other, as structs, and their JSON. The shapes are those of
// jobq-protocol(7), verbs POOLS TAKE DONE HEARTBEAT OUTPUT. Pure; used by all of daemon/runner.
// Must stay true: a line that format_*() makes is one line and within limits::kLineBytes as long as
// its caller keeps to the counts below.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/config/config.h"
#include "core/job/decide.h"

namespace jobq {

// The type that a person's own commands have (`jobq run -- CMD`).
inline constexpr std::string_view kRunType = "run";
// In RunnerOptions::types: for every type without an entry of its own.
inline constexpr std::string_view kAnyType = "*";
// The error type of an attempt that never was a process.
inline constexpr const char* kNotStarted = "not started";

struct PoolSpec {
    std::string name;
    PoolKind kind = PoolKind::exec;
    int slots = 1;
    std::vector<QueueWeight> queues;
    bool strict = true;
    std::vector<std::string> types;  // only these; empty: any
    std::vector<std::string> run;    // child pools: what each child is
    std::map<std::string, std::string> env;
    std::string cwd;

    bool operator==(const PoolSpec&) const = default;
};

struct TypeSpec {
    std::vector<std::string> run;
    int64_t timeout_ms = limits::kDefaultTimeoutMs;
    int64_t grace_ms = limits::kKillGraceMs;
    std::map<std::string, std::string> env;
    std::string cwd;
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

struct TakenJob {
    std::string jid, type, queue, token;
    int attempt = 1;
    int max_attempts = 0;    // 0: not said
    int64_t timeout_ms = 0;  // 0: the type's
    std::string deadline;    // RFC 3339
    std::string payload;     // JSON text
    std::string traceparent;
};

struct Taken {
    std::vector<TakenJob> jobs;
};

// One ended attempt, until jobqd has answered for it.
struct DoneReport {
    std::string jid, token;
    RunReport run;
};

struct DoneAnswer {
    std::string jid;
    bool ok = false;
    ErrorCode error = ErrorCode::internal;
};

struct RunningJob {
    std::string jid, token;
    int64_t started_ms = 0;
};

enum class RunnerState : uint8_t { running, quiet, terminate };

struct Notices {
    std::vector<std::string> cancel, lost;
    RunnerState state = RunnerState::running;
    std::string config;
};

enum class OutputStream : uint8_t { out, err };

struct OutputChunk {
    std::string jid, token;
    int attempt = 1;
    OutputStream stream = OutputStream::err;
    int64_t offset = 0;
    std::string bytes;
};

// The payload of a job of type `run`.
struct RunRequest {
    std::vector<std::string> argv;
    std::string cwd;
    std::map<std::string, std::string> env;
};

// One line of a child of a child pool.
struct ChildMessage {
    enum class Kind : uint8_t { progress, success, failure } kind = Kind::progress;
    std::string jid;
    std::string result;             // success: JSON text
    std::string error, error_kind;  // failure
    bool retry = true;              // failure
    int64_t progress = 0;           // progress
    std::string note;               // progress
};

// `slots`: how many it has in all; 0 for the runner of jobqd itself, which shows its pools.
std::string format_hello(const std::string& wid, const std::string& hostname, int64_t pid,
                         int slots = 0);
std::string format_pools(const std::string& runner);
std::string format_take(const PoolSpec& pool, const std::vector<std::string>& queues, int count,
                        int64_t wait_ms);
std::string format_heartbeat(const std::vector<RunningJob>& running, int64_t wait_ms, bool quiet);
// The last one: this process ends.
std::string format_goodbye();
std::string format_done(const std::vector<const DoneReport*>& reports);
std::string format_output(const std::vector<OutputChunk>& chunks);
// What a child gets: the payload is spliced in as it is, less its line breaks.
std::string format_child_job(const TakenJob& job);

Result<Assignment> parse_assignment(const std::string& text);
Result<Taken> parse_taken(const std::string& text);
Result<std::vector<DoneAnswer>> parse_done_answers(const std::string& text);
Result<Notices> parse_notices(const std::string& text);
// bad_data, with what is wrong.
Result<RunRequest> parse_run_request(const std::string& payload);
Result<ChildMessage> parse_child_message(std::string_view line);

// One JSON value, UTF-8, no deeper than limits::kJsonDepth.
bool is_plain_json(std::string_view text);

}  // namespace jobq
