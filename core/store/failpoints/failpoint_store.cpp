#include "core/store/failpoints/failpoint_store.h"

#ifdef JOBQ_FAILPOINTS

#include <algorithm>
#include <memory>

#include "core/base/failpoint.h"
#include "core/store/around_store.h"

namespace jobq {
namespace {

class FailpointStore final : public AroundStore<FailpointStore> {
  public:
    FailpointStore(Store& below, Reactor& reactor, RedisLink& link, Keys keys)
        : below_(below), reactor_(reactor), link_(link), keys_(std::move(keys)) {
        below_.on_ready([this](const std::string& queue) {
            if (on_ready_) on_ready_(queue);
        });
    }

    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override;
    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override;
    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override;
    task<Result<ListPage>> list(ListRequest request) override;

    std::unique_ptr<Checkup> checkup(bool fix) override { return below_.checkup(fix); }

    template <class Call>
    auto around(std::string_view, const Whom&, const Call& call) {
        return call(below_);
    }

  private:
    Store& below_;
    Reactor& reactor_;
    RedisLink& link_;
    Keys keys_;
};

// Goes to its list at once and is bound to nothing.
bool is_plain(const Job& job, int64_t now_ms) {
    return job.idempotency_key.empty() && !job.ties && job.run_at_ms <= now_ms;
}

task<Result<std::vector<Result<Enqueued>>>> FailpointStore::enqueue(std::vector<Job> jobs) {
    const int64_t now = reactor_.wall_ms();
    const bool plain =
        std::all_of(jobs.begin(), jobs.end(), [now](const Job& job) { return is_plain(job, now); });
    std::vector<Job> invented;
    for (Job& job : jobs) {
        if (plain && JOBQ_FAILPOINT(payload_changed))
            job.args[job.args.size() - 3] ^= 1;  // "ms":17}]
        if (plain && JOBQ_FAILPOINT(job_invented)) {
            invented.push_back(job);
            invented.back().jid += "-twin";
        }
        if (job.run_at_ms > now && JOBQ_FAILPOINT(delayed_early)) job.run_at_ms -= 1'000;
        if (JOBQ_FAILPOINT(key_ignored)) job.idempotency_key.clear();
    }
    if (plain && JOBQ_FAILPOINT(push_dropped)) {
        std::vector<Result<Enqueued>> results;
        for (const Job& job : jobs)
            results.emplace_back(Enqueued{Enqueued::How::stored, job.jid, State::ready});
        co_return results;
    }
    if (!invented.empty()) co_await below_.enqueue(std::move(invented));
    auto results = co_await below_.enqueue(std::move(jobs));
    co_return results;
}

task<Result<std::vector<Leased>>> FailpointStore::fetch(FetchRequest request) {
    auto leases = co_await below_.fetch(std::move(request));
    if (leases && !leases->empty() && JOBQ_FAILPOINT(fetch_twice)) {
        const Job& job = leases->front().job;
        Command again("LPUSH", keys_.of("q:" + job.queue), job.jid);
        co_await link_.call(std::move(again));
    }
    co_return leases;
}

task<Result<std::vector<Result<>>>> FailpointStore::finish(std::vector<Finish> batch) {
    const Finish first = batch.front();
    auto results = co_await below_.finish(std::move(batch));
    if (!results) co_return results;
    for (auto& result : *results) {
        const bool refused = !result && (result.error().code == ErrorCode::unavailable ||
                                         result.error().code == ErrorCode::storage_full ||
                                         result.error().code == ErrorCode::internal);
        if (refused && JOBQ_FAILPOINT(refusal_final)) result.error().code = ErrorCode::conflict;
    }
    const bool over = results->front() && first.transition.move == Move::succeed;
    if (over && JOBQ_FAILPOINT(ended_kept)) {
        Command kept("ZADD", keys_.of("dead"), first.final.finished_ms);
        kept.add(member_of(first.queue, first.priority, first.jid));
        co_await link_.call(std::move(kept));
    }
    co_return results;
}

task<Result<ListPage>> FailpointStore::list(ListRequest request) {
    const bool waits = !is_final(request.state) && !request.cursor.empty();
    if (waits && JOBQ_FAILPOINT(cursor_by_rank)) {
        // "<cut> <score> <member>": behind where that member is now, whatever has failed since.
        const std::string member =
            request.cursor.substr(request.cursor.rfind(' ', request.cursor.rfind(' ') - 1) + 1);
        Command score("ZSCORE", keys_.of(name(request.state)), member);
        auto now = co_await link_.call(std::move(score));
        if (now && !now->text.empty()) request.cursor = "999999999 " + now->text + " " + member;
    }
    auto page = co_await below_.list(std::move(request));
    co_return page;
}

}  // namespace

std::unique_ptr<Store> with_failpoints(Store& below, Reactor& reactor, RedisLink& link,
                                       const Keys& keys) {
    return std::make_unique<FailpointStore>(below, reactor, link, keys);
}

}  // namespace jobq

#else

namespace jobq {

std::unique_ptr<Store> with_failpoints(Store&, Reactor&, RedisLink&, const Keys&) {
    return nullptr;
}

}  // namespace jobq

#endif
