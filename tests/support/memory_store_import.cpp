// MemoryStore: jobs of another store. See memory_store.h.
#include <algorithm>

#include "core/store/keys.h"
#include "tests/support/memory_store.h"

namespace jobq::test {

Result<Enqueued> MemoryStore::bring_in_one(const Imported& one) {
    const Job& job = one.job;
    if (imported_.count(job.jid)) return Enqueued{Enqueued::How::same, job.jid, one.state};
    if (const Live* live = find(job.jid)) {
        if (live->job.type == job.type && live->job.queue == job.queue &&
            live->job.args == job.args)
            return Enqueued{Enqueued::How::same, job.jid, live->state};
        return fail(ErrorCode::duplicate, "the id " + job.jid + " belongs to another job");
    }
    for (auto& [name, queue] : queues_)
        for (auto& [list_name, list] : queue.lists)
            std::erase_if(list, [&](const Place& place) { return place.jid == job.jid; });
    ++counters_.enqueued;
    imported_[job.jid] = bucket_second(clock_.wall_ms(), limits::kImportMarkMs);
    Live& live = live_[job.jid];
    live.job = job;
    live.record = one.record;
    live.state = one.state;
    if (one.state == State::ready) {
        make_ready(live, false);
    } else {
        live.at_ms = one.at_ms;
        if (one.state != State::scheduled) note_failed(live, one.at_ms);
    }
    return Enqueued{Enqueued::How::stored, job.jid, one.state};
}

task<Result<std::vector<Result<Enqueued>>>> MemoryStore::bring_in(std::vector<Imported> jobs) {
    std::vector<Result<Enqueued>> results;
    for (const auto& one : jobs)
        results.push_back(bring_in_one(one));
    co_return results;
}

}  // namespace jobq::test
