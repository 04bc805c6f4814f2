// Every verb of the wire, in one table: one row holds all that is the same for each verb, and
// dispatch, authorisation, line limits, jobq-protocol(7) and the tests read it. Faktory's verbs
// stand alone on a line, jobq's follow "JOBQ ". Their handlers: daemon/server/verbs/handlers.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/protocol/scope.h"

namespace jobq {

enum VerbFlag : uint8_t {
    kJobq = 1,        // in the JOBQ namespace
    kRepeatable = 2,  // a repeat after a lost reply is safe
    kStream = 4,      // answers more than once, until its end or the connection's
    kBulkLine = 8,    // carries many jobs or their output: limits::kBulkLineBytes
    kStores = 16,     // stores jobs: refused to all while jobqd shuts down
    kAtShutdown = 32  // served to all while jobqd shuts down; the rest, to those who opted in
};

struct VerbInfo {
    std::string_view name;
    Scope scope;
    unsigned flags;
    std::string_view help;
    // Answered when not even a space follows, in Faktory's words. "": no argument is needed.
    std::string_view bare{};

    constexpr bool has(VerbFlag flag) const { return (flags & flag) != 0; }

    constexpr bool jobq() const { return has(kJobq); }
};

inline constexpr std::array kVerbs{
    VerbInfo{"HELLO", Scope::none, 0, "identify the client"},
    VerbInfo{"END", Scope::none, kRepeatable | kAtShutdown, "close the connection"},
    VerbInfo{"PUSH", Scope::enqueue, kRepeatable | kStores, "enqueue one job", "internal error"},
    VerbInfo{"PUSHB", Scope::enqueue, kRepeatable | kBulkLine | kStores, "enqueue many jobs",
             "internal error"},
    VerbInfo{"FETCH", Scope::work, 0, "fetch the next job of some queues"},
    VerbInfo{"ACK", Scope::work, kRepeatable | kAtShutdown, "report that a job succeeded",
             "internal error"},
    VerbInfo{"FAIL", Scope::work, kRepeatable | kAtShutdown, "report that a job failed",
             "internal error"},
    VerbInfo{"BEAT", Scope::work, kRepeatable | kAtShutdown, "send the heartbeat of a worker",
             "internal error"},
    VerbInfo{"INFO", Scope::read, kRepeatable, "figures of the server"},
    VerbInfo{"FLUSH", Scope::admin, kRepeatable, "delete all jobs, where allowed"},
    VerbInfo{"QUEUE", Scope::admin, kRepeatable, "pause, resume, remove queues; latency",
             "internal error"},
    VerbInfo{"MUTATE", Scope::admin, kRepeatable | kBulkLine,
             "clear, kill, discard or requeue sets", "invalid format"},
    VerbInfo{"TRACK", Scope::work, kRepeatable, "progress of a job", "internal error"},
    VerbInfo{"BATCH", Scope::enqueue, 0, "batches with callbacks", "internal error"},
    VerbInfo{"JOBQ", Scope::none, 0, "prefix of the verbs below"},
    VerbInfo{"ENQUEUE", Scope::enqueue, kJobq | kRepeatable | kStores, "enqueue one job"},
    VerbInfo{"STATUS", Scope::read, kJobq | kRepeatable, "everything about some jobs"},
    VerbInfo{"WAIT", Scope::read, kJobq | kRepeatable | kStream,
             "one message for each finished job"},
    VerbInfo{"RESULT", Scope::read, kJobq | kRepeatable, "what a job returned"},
    VerbInfo{"LOGS", Scope::read, kJobq | kRepeatable | kStream,
             "what a job wrote, followed while it runs"},
    VerbInfo{"LIST", Scope::read, kJobq | kRepeatable, "jobs by state, queue and type, paged"},
    VerbInfo{"CANCEL", Scope::admin, kJobq | kRepeatable, "stop jobs or keep them from starting"},
    VerbInfo{"RETRY", Scope::admin, kJobq | kRepeatable, "make dead or waiting jobs ready now"},
    VerbInfo{"RELEASE", Scope::admin, kJobq | kRepeatable, "release jobs whose workers are gone"},
    VerbInfo{"RM", Scope::admin, kJobq | kRepeatable, "remove jobs that are not running"},
    VerbInfo{"RETRY_DEAD", Scope::admin, kJobq | kRepeatable,
             "retry dead jobs that match a filter"},
    VerbInfo{"DEAD_GROUPS", Scope::read, kJobq | kRepeatable, "dead jobs by type and last error"},
    VerbInfo{"OPERATE", Scope::admin, kJobq, "retry, cancel, remove all that match"},
    VerbInfo{"OPERATIONS", Scope::read, kJobq | kRepeatable, "progress of operations"},
    VerbInfo{"STOP_OPERATION", Scope::admin, kJobq | kRepeatable, "stop an operation"},
    VerbInfo{"QUEUES", Scope::read, kJobq | kRepeatable, "queues with size, latency, pause"},
    VerbInfo{"PAUSE", Scope::admin, kJobq | kRepeatable, "pause queues"},
    VerbInfo{"RESUME", Scope::admin, kJobq | kRepeatable, "resume queues"},
    VerbInfo{"CLEAR", Scope::admin, kJobq | kRepeatable, "remove the ready jobs of a queue"},
    VerbInfo{"STATS", Scope::read, kJobq | kRepeatable, "totals, queues, pools"},
    VerbInfo{"WORKERS", Scope::read, kJobq | kRepeatable, "connected workers and their jobs"},
    VerbInfo{"SIGNAL", Scope::admin, kJobq | kRepeatable, "quiet or stop a worker"},
    VerbInfo{"EVENTS", Scope::read, kJobq | kRepeatable | kStream, "events as they happen"},
    VerbInfo{"PING", Scope::none, kJobq | kRepeatable, "state and version of the daemon"},
    VerbInfo{"PROFILE", Scope::admin, kJobq | kRepeatable,
             "profiles of CPU time, memory and tasks"},
    VerbInfo{"POOLS", Scope::work, kJobq | kRepeatable, "pools and types for a runner"},
    VerbInfo{"TAKE", Scope::work, kJobq, "take several jobs under a process lease"},
    VerbInfo{"DONE", Scope::work, kJobq | kRepeatable | kBulkLine, "report ended attempts"},
    VerbInfo{"HEARTBEAT", Scope::work, kJobq | kRepeatable, "renew a process lease, get notices"},
    VerbInfo{"OUTPUT", Scope::work, kJobq | kRepeatable | kBulkLine,
             "output of running jobs so far"},
    VerbInfo{"DOCTOR", Scope::admin, kJobq | kRepeatable | kStream, "inconsistencies in the store"},
    VerbInfo{"IMPORT", Scope::admin, kJobq | kRepeatable | kBulkLine | kStores,
             "import jobs of another store, each once"},
};

constexpr const VerbInfo* find_verb(std::string_view name, bool jobq) {
    for (const auto& verb : kVerbs)
        if (verb.jobq() == jobq && verb.name == name) return &verb;
    return nullptr;
}

}  // namespace jobq
