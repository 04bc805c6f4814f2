#include "daemon/broker/intake.h"

#include <cstdlib>
#include <utility>

#include "core/base/failpoint.h"
#include "core/base/id.h"
#include "daemon/broker/intake_rules.h"

namespace jobq {

Intake::Intake(Reactor& reactor, Store& store, const CurrentConfig& config,
               const StorageGate& storage, RecentJids& recent, Wakeups& wakeups, Journal& journal)
    : reactor_(reactor),
      store_(store),
      config_(config),
      storage_(storage),
      recent_(recent),
      wakeups_(wakeups),
      journal_(journal) {}

std::optional<Error> Intake::refusal(const Job& job, const Caller& caller) const {
    if (closed_) return intake::shutting_down();
    if (auto why = intake::durability_refusal(job, storage_.durability(), *config_)) return why;
    return intake::refusal(caller, job, *config_);
}

std::optional<Result<Enqueued>> Intake::settled(const Job& job, const Caller& caller) {
    if (auto why = refusal(job, caller)) {
        journal_.refused(why->code);
        return tl::unexpected<Error>(std::move(*why));
    }
    // It left no record in which the store could find it.
    if (!recent_.none_dropped() && job.reuse == Reuse::plain &&
        recent_.was_dropped(job.jid, content_of(job), reactor_.now_ms()))
        return Enqueued{Enqueued::How::same, job.jid, State::dead};
    return std::nullopt;
}

task<std::vector<Result<Enqueued>>> Intake::enqueue(std::vector<Job> jobs, Caller from) {
    std::vector<std::pair<size_t, Result<Enqueued>>> known;
    for (size_t i = 0; i < jobs.size(); ++i)
        if (auto answer = settled(jobs[i], from)) known.emplace_back(i, std::move(*answer));
    if (known.empty()) co_return co_await enqueue_able(std::move(jobs));
    for (auto it = known.rbegin(); it != known.rend(); ++it)
        jobs.erase(jobs.begin() + long(it->first));
    std::vector<Result<Enqueued>> results;
    if (!jobs.empty()) results = co_await enqueue_able(std::move(jobs));
    for (auto& [at, answer] : known)
        results.insert(results.begin() + long(at), std::move(answer));
    co_return results;
}

void Intake::note_recent(std::vector<Job>& jobs) {
    const int64_t now = reactor_.now_ms(), wall = reactor_.wall_ms();
    for (auto& job : jobs) {
        const bool seen = recent_.see(job.jid, now);
        if (job.reuse == Reuse::again) continue;
        job.may_be_known |= seen;
        if (job.reuse == Reuse::plain || job.may_be_known) continue;
        // Ids that jobq makes hold their time: of those made now the store need not be asked.
        const auto made = id_time_ms(job.jid);
        job.may_be_known = !made || std::abs(wall - *made) > limits::kFreshIdMs;
    }
    if (JOBQ_FAILPOINT(repeat_is_new))
        for (auto& job : jobs)
            job.may_be_known = false;
}

// What is needed of each once it is stored. `whole`: whose it is and when it was made, too.
static std::vector<Job> heads_of(const std::vector<Job>& jobs, bool whole) {
    std::vector<Job> heads;
    heads.reserve(jobs.size());
    for (const auto& job : jobs) {
        Job& head = heads.emplace_back();
        head.queue = job.queue;
        head.run_at_ms = job.run_at_ms;
        head.type = job.type;
        if (!whole) continue;
        head.jid = job.jid;
        head.created_ms = job.created_ms;
        head.traceparent = job.traceparent;
    }
    return heads;
}

task<std::vector<Result<Enqueued>>> Intake::enqueue_able(std::vector<Job> jobs) {
    const bool whole = journal_.reads_enqueued();
    note_recent(jobs);
    const std::vector<Job> heads = heads_of(jobs, whole);
    auto stored = co_await store_.enqueue(std::move(jobs));
    if (!stored) {
        wakeups_.note_unknown(stored.error());
        for (size_t i = 0; i < heads.size(); ++i)
            journal_.refused(stored.error().code);
        std::vector<Result<Enqueued>> failed(heads.size(), tl::unexpected<Error>(stored.error()));
        co_return failed;
    }

    wakeups_.stir();
    Wakeups::Counts ready;
    for (size_t i = 0; i < heads.size(); ++i) {
        const Job& head = heads[i];
        const auto& result = (*stored)[i];
        if (!result) {
            wakeups_.note_unknown(result.error());
            journal_.refused(result.error().code);
            continue;
        }
        if (result->how != Enqueued::How::stored) continue;
        if (result->state == State::ready) {
            ++ready[{head.queue, head.type}];
        } else {
            wakeups_.schedule.due(head.run_at_ms);
        }
        journal_.enqueued({head, result->state, whole});
    }
    wakeups_.ready(ready);
    if (JOBQ_FAILPOINT(stored_but_refused))
        stored->front() = fail(ErrorCode::unavailable, "the store is unavailable");
    co_return std::move(*stored);
}

task<Result<std::vector<Result<Enqueued>>>> Intake::import_jobs(std::vector<Imported> jobs) {
    std::vector<std::pair<std::string, std::string>> heads;  // queue, type
    std::vector<int64_t> due;
    for (const auto& one : jobs) {
        heads.emplace_back(one.job.queue, one.job.type);
        due.push_back(one.at_ms);
    }
    auto stored = co_await store_.bring_in(std::move(jobs));
    if (!stored) {
        wakeups_.note_unknown(stored.error());
        co_return stored;
    }
    Wakeups::Counts ready;
    int64_t count = 0;
    for (size_t i = 0; i < heads.size(); ++i) {
        const auto& result = (*stored)[i];
        if (!result || result->how != Enqueued::How::stored) continue;
        ++count;
        bool waits = result->state == State::scheduled || result->state == State::retrying;
        if (result->state == State::ready) ++ready[heads[i]];
        if (waits) wakeups_.schedule.due(due[i]);
    }
    wakeups_.ready(ready);
    if (count > 0) journal_.imported(count);
    co_return stored;
}

}  // namespace jobq
