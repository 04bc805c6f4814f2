// JobObserver: what happens to jobs, one call for each kind of thing. Metrics, traces, events and
// lines of the log are made by those who implement it; what does not concern one of them it leaves
// out. Told by Journal (daemon/broker), after the store has said that it is so.
//
// What is handed over is the caller's: nothing of it is kept beyond the call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/job/decide.h"
#include "core/job/job.h"

namespace jobq {

struct EnqueuedJob {
    const Job& job;  // its head
    State state;
    bool whole = true;  // false: nobody wanted more of it than queue and type, and it has no more
};

// An attempt that begins.
struct StartedJob {
    const Job& job;  // its head
    const JobRecord& record;
    std::string_view worker;
    int64_t at_ms = 0;  // wall clock
};

// An attempt as its end is known.
struct EndedJob {
    const Job& job;           // its head
    const JobRecord& record;  // of before
    int64_t leased_ms = 0;
    const RunReport& report;
    Move move = Move::succeed;
    std::string_view reason;  // why it is dead
    std::string_view worker{};
    int64_t next_ms = 0;          // wall clock: when it runs again
    const Job* follow = nullptr;  // the news of its end, a job of its own

    // Wall clock.
    int64_t began_ms() const { return report.started_ms ? report.started_ms : leased_ms; }

    int64_t ran_ms() const { return std::max<int64_t>(0, report.ended_ms - began_ms()); }
};

// A job that is dead without a run.
struct BuriedJob {
    const Job& job;
    const JobRecord& record;
    std::string_view reason;
    std::string_view why;  // for people
    bool corrupt = false;
};

struct CancelledJob {
    const std::string& jid;
    const std::string& type;
    const std::string& queue;
    State was = State::ready;
};

class JobObserver {
  public:
    virtual ~JobObserver() = default;

    // Whether it looks at more of an enqueued job than queue and type.
    virtual bool reads_enqueued() { return false; }

    virtual void enqueued(const EnqueuedJob&) {}

    virtual void refused(ErrorCode) {}

    // So many, of another store.
    virtual void imported(int64_t) {}

    virtual void started(const StartedJob&) {}

    virtual void ended(const EndedJob&) {}

    virtual void buried(const BuriedJob&) {}

    // Fetched past its expiry: it is dropped.
    virtual void expired(const Job&) {}

    // By somebody's wish; running: it is asked to end.
    virtual void cancelled(const CancelledJob&) {}

    // Its lease was ended by hand.
    virtual void released(const std::string&) {}

    virtual void paused(const std::string&, bool) {}

    // All jobs were deleted.
    virtual void flushed() {}

    // So many, with their owners.
    virtual void leases_lost(size_t) {}

    virtual void leases_expired(size_t) {}
};

}  // namespace jobq
