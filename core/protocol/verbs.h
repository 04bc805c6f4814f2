// Every verb of the wire, in one table: it drives dispatch, authorisation, metrics,
// jobq-protocol(7) and the tests. Faktory's verbs stand alone on a line, jobq's follow "JOBQ ".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace jobq {

enum class Scope : uint8_t { none, push, work, read, admin };

struct VerbInfo {
    std::string_view name;
    bool jobq;  // in the JOBQ namespace
    Scope scope;
    bool idempotent;  // a repeat after a lost reply is safe
    bool stream;      // answers more than once, until its end or the connection's
    std::string_view help;
};

inline constexpr std::array kVerbs{
    VerbInfo{"HELLO", false, Scope::none, false, false, "say who you are"},
    VerbInfo{"END", false, Scope::none, true, false, "close the connection"},
    VerbInfo{"PUSH", false, Scope::push, true, false, "enqueue one job"},
    VerbInfo{"PUSHB", false, Scope::push, true, false, "enqueue many jobs"},
    VerbInfo{"FETCH", false, Scope::work, false, false, "take the next job of some queues"},
    VerbInfo{"ACK", false, Scope::work, true, false, "a job succeeded"},
    VerbInfo{"FAIL", false, Scope::work, true, false, "a job failed"},
    VerbInfo{"BEAT", false, Scope::work, true, false, "a worker lives"},
    VerbInfo{"INFO", false, Scope::read, true, false, "figures of the server"},
    VerbInfo{"FLUSH", false, Scope::admin, true, false, "drop everything, where allowed"},
    VerbInfo{"QUEUE", false, Scope::admin, true, false, "pause, resume, remove queues; latency"},
    VerbInfo{"MUTATE", false, Scope::admin, true, false, "clear, kill, discard or requeue sets"},
    VerbInfo{"TRACK", false, Scope::work, true, false, "progress of a job"},
    VerbInfo{"BATCH", false, Scope::push, false, false, "batches with callbacks"},
    VerbInfo{"JOBQ", false, Scope::none, false, false, "prefix of the verbs below"},
    VerbInfo{"ENQUEUE", true, Scope::push, true, false, "enqueue one job"},
    VerbInfo{"STATUS", true, Scope::read, true, false, "all that is known of some jobs"},
    VerbInfo{"WAIT", true, Scope::read, true, true, "one message for each job that is over"},
    VerbInfo{"RESULT", true, Scope::read, true, false, "what a job returned"},
    VerbInfo{"LOGS", true, Scope::read, true, true, "what a job wrote, followed while it runs"},
    VerbInfo{"LIST", true, Scope::read, true, false, "jobs by state, queue and type, paged"},
    VerbInfo{"CANCEL", true, Scope::admin, true, false, "stop jobs or keep them from starting"},
    VerbInfo{"RETRY", true, Scope::admin, true, false, "make dead or waiting jobs ready now"},
    VerbInfo{"RELEASE", true, Scope::admin, true, false, "end leases whose workers are gone"},
    VerbInfo{"RM", true, Scope::admin, true, false, "forget jobs that do not run"},
    VerbInfo{"RETRY_DEAD", true, Scope::admin, true, false, "retry the dead that match a filter"},
    VerbInfo{"DEAD_GROUPS", true, Scope::read, true, false, "the dead by type and last error"},
    VerbInfo{"OPERATE", true, Scope::admin, false, false, "retry, cancel, remove all that match"},
    VerbInfo{"OPERATIONS", true, Scope::read, true, false, "how far the operations are"},
    VerbInfo{"STOP_OPERATION", true, Scope::admin, true, false, "leave the rest of one out"},
    VerbInfo{"QUEUES", true, Scope::read, true, false, "queues with size, latency, pause"},
    VerbInfo{"PAUSE", true, Scope::admin, true, false, "pause queues"},
    VerbInfo{"RESUME", true, Scope::admin, true, false, "resume queues"},
    VerbInfo{"CLEAR", true, Scope::admin, true, false, "remove the ready jobs of a queue"},
    VerbInfo{"STATS", true, Scope::read, true, false, "totals, queues, pools"},
    VerbInfo{"WORKERS", true, Scope::read, true, false, "who is connected and what they run"},
    VerbInfo{"SIGNAL", true, Scope::admin, true, false, "quiet or stop a worker"},
    VerbInfo{"EVENTS", true, Scope::read, true, true, "what happens, as it happens"},
    VerbInfo{"PING", true, Scope::none, true, false, "are you there, and who are you"},
    VerbInfo{"PROFILE", true, Scope::admin, true, false, "where CPU time, memory and tasks are"},
    VerbInfo{"POOLS", true, Scope::work, true, false, "what a runner of this host is to run"},
    VerbInfo{"TAKE", true, Scope::work, false, false, "take several jobs under a process lease"},
    VerbInfo{"DONE", true, Scope::work, true, false, "report ended attempts"},
    VerbInfo{"HEARTBEAT", true, Scope::work, true, false, "renew a process lease, get notices"},
    VerbInfo{"OUTPUT", true, Scope::work, true, false, "what running jobs wrote so far"},
    VerbInfo{"DOCTOR", true, Scope::admin, true, true, "what does not fit together in the store"},
    VerbInfo{"IMPORT", true, Scope::admin, true, false, "store jobs of another store, once"},
};

constexpr const VerbInfo* find_verb(std::string_view name, bool jobq) {
    for (const auto& verb : kVerbs)
        if (verb.jobq == jobq && verb.name == name) return &verb;
    return nullptr;
}

}  // namespace jobq
