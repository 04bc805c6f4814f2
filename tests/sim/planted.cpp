// PlantedStore: see planted.h.
#include "tests/sim/planted.h"

namespace jobq::sim {

task<Result<std::vector<Result<Enqueued>>>> PlantedStore::enqueue(std::vector<Job> jobs) {
    if (is(Mistake::lost_enqueue) && world_.chance(200)) {
        std::vector<Result<Enqueued>> results;
        hidden_ += int64_t(jobs.size());
        for (const auto& job : jobs)
            results.push_back(Enqueued{Enqueued::How::stored, job.jid, State::ready});
        co_return results;
    }
    if (is(Mistake::second_lock))
        for (auto& job : jobs)
            job.ties = nullptr;
    auto results = co_await below_.enqueue(std::move(jobs));
    co_return results;
}

task<Result<std::vector<Leased>>> PlantedStore::fetch(FetchRequest request) {
    std::string owner = request.owner;
    if (is(Mistake::wrong_type)) request.types = nullptr;
    auto leases = co_await below_.fetch(std::move(request));
    if (!leases) co_return leases;
    if (is(Mistake::double_fetch) && leases->empty() && !given_.empty() && world_.chance(300)) {
        leases->push_back(given_.begin()->second);
        co_return leases;
    }
    for (auto& lease : *leases) {
        given_[lease.job.jid] = lease;
        if (is(Mistake::changed_args)) lease.job.args = "[\"other\"]";
        if (is(Mistake::endless_crashes)) lease.record.crashes = 0;
    }
    co_return leases;
}

task<Result<std::vector<Result<>>>> PlantedStore::finish(std::vector<Finish> batch) {
    std::vector<Finish> asked = batch;
    auto results = co_await below_.finish(std::move(batch));
    for (size_t i = 0; results && i < asked.size(); ++i) {
        auto& result = (*results)[i];
        if (result) given_.erase(asked[i].jid);
        bool stale = !result && result.error().code == ErrorCode::lease_lost;
        if (is(Mistake::stale_finish) && stale) result = Result<>{};
    }
    co_return results;
}

task<Result<std::vector<Leased>>> PlantedStore::take_over(std::string from, std::string to,
                                                          std::vector<LeaseName> some, int limit) {
    if (is(Mistake::never_recalled)) co_return std::vector<Leased>();
    auto leases = co_await below_.take_over(std::move(from), std::move(to), std::move(some), limit);
    for (size_t i = 0; leases && is(Mistake::endless_crashes) && i < leases->size(); ++i)
        (*leases)[i].record.crashes = 0;
    co_return leases;
}

task<Result<Promoted>> PlantedStore::promote(int64_t now_ms, int limit) {
    if (is(Mistake::early_start)) now_ms += 5'000;
    return below_.promote(now_ms, limit);
}

task<Result<std::vector<Result<Cancelled>>>> PlantedStore::cancel(std::vector<std::string> jids) {
    if (!is(Mistake::ignored_cancel)) return below_.cancel(std::move(jids));
    auto view = at_once(below_.get(jids))->front();
    bool waits = view && !is_final(view->state) && view->state != State::running &&
                 view->state != State::dead;
    if (!waits) return below_.cancel(std::move(jids));
    --hidden_;  // said, and not done
    std::vector<Result<Cancelled>> results{Cancelled{view->state, ""}};
    return answered(std::move(results));
}

task<Result<StoreStats>> PlantedStore::stats() {
    auto stats = co_await below_.stats();
    if (stats) stats->ready += hidden_;
    co_return stats;
}

task<Result<std::vector<Result<JobView>>>> PlantedStore::get(std::vector<std::string> jids) {
    auto views = co_await below_.get(std::move(jids));
    if (!views || !is(Mistake::changed_result)) co_return views;
    for (auto& view : *views)
        if (view) view->final.result += "!";
    co_return views;
}

}  // namespace jobq::sim
