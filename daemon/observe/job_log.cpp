#include "daemon/observe/job_log.h"

#include "core/base/time.h"
#include "daemon/observe/log.h"

namespace jobq {

bool JobLog::reads_enqueued() {
    return log_enabled(LogLevel::debug);
}

void JobLog::enqueued(const EnqueuedJob& what) {
    if (!what.whole || !log_enabled(LogLevel::debug)) return;
    const Job& job = what.job;
    log(LogLevel::debug, "job.enqueued", "",
        {{"jid", job.jid},
         {"type", job.type},
         {"queue", job.queue},
         {"trace_id", log_unless_empty(traces_.trace_id_of(job))}});
}

void JobLog::imported(int64_t jobs) {
    log(LogLevel::info, "job.imported", "", {{"jobs", jobs}});
}

void JobLog::started(const StartedJob& what) {
    if (!log_enabled(LogLevel::debug)) return;
    const Job& job = what.job;
    log(LogLevel::debug, "job.started", "",
        {{"jid", job.jid},
         {"type", job.type},
         {"queue", job.queue},
         {"attempt", int64_t(current_attempt(what.record))},
         {"worker", std::string(what.worker)},
         {"trace_id", log_unless_empty(traces_.trace_id_of(job))}});
}

void JobLog::ended(const EndedJob& what) {
    const LogLevel level = what.move == Move::dead ? LogLevel::warn : LogLevel::info;
    if (!log_enabled(level)) return;
    const RunReport& report = what.report;
    const bool good = what.move == Move::succeed || what.move == Move::release;
    std::string message = good ? "" : report.message;
    if (what.move == Move::dead) message += " (dead: " + std::string(what.reason) + ")";
    if (what.move == Move::retry) message += " (retry at " + format_rfc3339(what.next_ms) + ")";
    log(level, "job." + std::string(info(what.move).event), message,
        {{"jid", what.job.jid},
         {"type", what.job.type},
         {"queue", what.job.queue},
         {"attempt", int64_t(current_attempt(what.record))},
         {"worker", std::string(what.worker)},
         {"duration_ms", what.ran_ms()},
         {"outcome", std::string(name(report.outcome))},
         {"trace_id", log_unless_empty(traces_.trace_id_of(what.job))}});
}

void JobLog::buried(const BuriedJob& what) {
    log(LogLevel::error, "job." + std::string(what.reason),
        std::string(what.why) + "; the job was not run and is dead; " +
            (what.corrupt ? "remove it with jobq rm, then enqueue it again"
                          : "retry it with jobq retry once it may run"),
        {{"jid", what.job.jid},
         {"type", what.job.type},
         {"queue", what.job.queue},
         {"trace_id", log_unless_empty(traces_.trace_id_of(what.job))}});
}

void JobLog::cancelled(const CancelledJob& what) {
    log(LogLevel::info, "job.cancel", "",
        {{"jid", what.jid},
         {"type", what.type},
         {"queue", what.queue},
         {"was", std::string(name(what.was))}});
}

void JobLog::released(const std::string& jid) {
    log(LogLevel::info, "job.release", "", {{"jid", jid}});
}

void JobLog::paused(const std::string& queue, bool paused) {
    log(LogLevel::info, paused ? "queue.paused" : "queue.resumed", "", {{"queue", queue}});
}

void JobLog::flushed() {
    log(LogLevel::warn, "store.flushed", "FLUSH deleted all jobs");
}

}  // namespace jobq
