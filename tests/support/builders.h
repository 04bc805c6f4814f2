// Builders of what tests are made of: a valid job in one word, the end of an attempt in one line.
#pragma once

#include <string>

#include "core/job/job.h"
#include "core/store/store.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {

// A valid job; `jid` may be short here, stores do not check it.
inline Job a_job(std::string type, std::string jid = "job-0001") {
    Job job;
    job.jid = std::move(jid);
    job.type = std::move(type);
    job.args = "[1]";
    job.created_ms = TestReactor::kStartWallMs;
    return job;
}

inline Job a_job_in(std::string queue, std::string jid, int priority = limits::kPriorityNormal) {
    Job job = a_job("email", std::move(jid));
    job.queue = std::move(queue);
    job.priority = priority;
    return job;
}

inline Job a_job_at(int64_t run_at_ms, std::string jid) {
    Job job = a_job("email", std::move(jid));
    job.run_at_ms = run_at_ms;
    return job;
}

// The end of the attempt that `lease` began: with Move::retry and snooze, due at `at_ms`.
inline Finish an_end(const std::string& owner, const Leased& lease, Move move, int64_t at_ms = 0) {
    Finish finish = finish_of(lease, owner);
    finish.transition.move = move;
    finish.transition.at_ms = at_ms;
    if (move != Move::release && move != Move::snooze) ++finish.transition.record.attempts;
    finish.attempt = lease.record.attempts + 1;
    finish.final.state = move == Move::cancel ? State::cancelled : State::succeeded;
    finish.final.type = lease.job.type;
    finish.final.queue = lease.job.queue;
    finish.final.created_ms = lease.job.created_ms;
    finish.final.content = content_of(lease.job);
    finish.final.started_ms = lease.started_ms;
    finish.final.finished_ms = lease.started_ms + 1;
    finish.final.attempts = finish.transition.record.attempts;
    return finish;
}

}  // namespace jobq::test
