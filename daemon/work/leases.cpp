// Broker: owners that come, go and die. A lease taken away becomes ours in one step of the store,
// under a name of this process; then the attempt ends like any other, as a crash. Should we die in
// between, our name is a dead owner for the next one.
#include <algorithm>
#include <set>

#include "core/base/failpoint.h"
#include "core/base/text.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {
namespace {

bool starts_with(const std::string& text, std::string_view prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

// One job can end its worker again and again, and with it all that run beside it: they would be
// poison too. Those that lost more than one worker run again one after the other.
task<void> Broker::settle_lost(std::vector<Leased> leases, std::string owner, std::string why) {
    if (metrics_) metrics_->leases_lost(leases.size());
    std::vector<Ended> batch;
    auto is_suspect = [](const Leased& lease) { return lease.record.lost > 0; };
    int64_t suspects = std::count_if(leases.begin(), leases.end(), is_suspect), before_it = 0;
    int64_t apart_ms = std::min(limits::kSuspectsApartMs,
                                limits::kSuspectsSpreadMs / std::max<int64_t>(1, suspects));
    for (auto& lease : leases) {
        FetchOrder order;
        order.owner = owner;
        auto before = running_.find(lease.job.jid);
        if (before != running_.end()) order.worker = before->second.worker;
        int64_t started = lease.started_ms;
        note_running(lease, order);
        running_.at(lease.job.jid).started_wall_ms = started;
        Ended ended;
        ended.jid = lease.job.jid;
        ended.owner = owner;
        ended.token = lease.token;
        ended.report.outcome = lease.cancelled ? Outcome::cancelled : Outcome::crash;
        if (JOBQ_FAILPOINT(orphan_dropped)) ended.report.outcome = Outcome::cancelled;
        ended.report.started_ms = started;
        if (is_suspect(lease)) ended.report.apart_ms = apart_ms * before_it++;
        ended.report.error_type = "WorkerLost";
        ended.report.message = why;
        ended.report.worker = order.worker;
        batch.push_back(std::move(ended));
    }
    // Were it not heard now, the next process would find them under our name.
    int64_t until = reactor_.now_ms() + limits::kProcessLeaseMs;
    std::function<bool()> late = [this, until] { return reactor_.now_ms() > until; };
    auto results = co_await finish_surely(std::move(batch), std::move(late));
    for (const auto& result : results) {
        if (result) continue;
        log(LogLevel::warn, "job.reap_failed", result.error().text);
        if (!is_final(result.error().code)) unsettled_.insert(owner);
    }
}

std::string Broker::reaper_of(const std::string& from) const {
    std::string mine = "reaper:" + epoch_;
    return from == mine ? mine + "-again" : mine;
}

task<void> Broker::settle_rest() {
    if (!recovered_ && reactor_.now_ms() >= recover_at_ms_) co_await recover();
    if (look_again_ms_ != 0 && reactor_.now_ms() >= look_again_ms_) {
        look_again_ms_ = 0;
        hinted("");
        waiters_.notify_all();
    }
    std::set<std::string> owners = std::exchange(unsettled_, {});
    for (const auto& owner : owners) {
        auto worker = workers_.by_owner(owner);
        if (worker && worker->connections > 0 && !worker->gone) continue;  // it came back
        std::string name = owner, why = "its lease expired while the store did not answer";
        co_await reap(std::move(name), std::move(why));
    }
}

task<int> Broker::reap(std::string owner, std::string why) {
    int taken = 0;
    std::string mine = reaper_of(owner);
    while (true) {
        std::vector<LeaseName> all;
        std::vector<std::pair<std::string, uint64_t>> before;
        for (const auto& [jid, known] : running_)
            if (known.owner == owner) before.emplace_back(jid, known.serial);
        auto leases =
            co_await store_.take_over(owner, mine, std::move(all), int(limits::kScriptJobs));
        if (!leases) {
            log(LogLevel::warn, "lease.reap_failed", leases.error().text, {{"owner", owner}});
            // It may have been done all the same.
            unsettled_.insert(owner);
            unsettled_.insert(mine);
            break;
        }
        taken += int(leases->size());
        bool all_taken = leases->size() < limits::kScriptJobs;
        if (!leases->empty()) co_await settle_lost(std::move(*leases), mine, why);
        // Not once more: it may be back and have new ones.
        if (all_taken) {
            // What else was thought of is over, by calls whose answers were lost.
            for (const auto& [jid, serial] : before) {
                auto known = running_.find(jid);
                if (known != running_.end() && known->second.serial == serial)
                    running_.erase(known);
            }
            break;
        }
    }
    if (taken > 0)
        log(LogLevel::warn, "lease.returned", why, {{"owner", owner}, {"jobs", int64_t(taken)}});
    co_return taken;
}

task<Result<std::set<std::string>>> Broker::take_away(std::string from, std::vector<LeaseName> some,
                                                      std::string why) {
    std::string mine = reaper_of(from);
    std::set<std::string> taken;
    auto leases = co_await store_.take_over(from, mine, some, int(limits::kScriptJobs));
    if (!leases) {
        unsettled_.insert(mine);  // it may have been done all the same
        co_return tl::unexpected<Error>(leases.error());
    }
    for (const auto& lease : *leases)
        taken.insert(lease.job.jid);
    if (!leases->empty()) co_await settle_lost(std::move(*leases), mine, why);
    co_return taken;
}

task<void> Broker::restore_leases(std::vector<std::string> jids) {
    if (jids.empty()) co_return;
    auto progress = co_await store_.progress(jids);
    if (!progress) co_return;
    for (size_t i = 0; i < jids.size(); ++i)
        if ((*progress)[i].lease_until_ms > 0) extend_lease(jids[i], (*progress)[i].lease_until_ms);
}

bool Broker::is_process(const std::string& owner) {
    return starts_with(owner, "pool:") || starts_with(owner, "reaper:");
}

void Broker::note_found(JobView view, const std::string& worker) {
    FetchOrder order;
    order.owner = view.owner;
    order.worker = worker;
    order.lease_per_job = view.owner == "faktory";
    Leased lease;
    lease.job = std::move(view.job);
    lease.record = std::move(view.record);
    lease.token = view.token;
    lease.started_ms = view.started_ms;
    note_running(lease, order);
    Running& known = running_.at(lease.job.jid);
    known.cancel_asked = view.cancel_asked;
    if (known.lease_ends_ms == 0) return;
    // What has passed of it counts; a clock that was set back can't make it longer.
    int64_t passed = std::max<int64_t>(0, reactor_.wall_ms() - known.started_wall_ms);
    known.lease_ends_ms = std::max(known.lease_ends_ms - passed, reactor_.now_ms());
}

task<void> Broker::recover() {
    const bool shared = !config_->redis.url.empty();
    recovered_ = false;
    if (recover_until_ms_ == 0)
        recover_until_ms_ = reactor_.now_ms() + (shared ? 2 * limits::kRedisDeadlineMs : 0);
    const bool last = reactor_.now_ms() >= recover_until_ms_;
    // What the jobqd before this one was given is not known here.
    if (auto before = co_await store_.stats(); before && before->processed > 0)
        recent_.doubt_until(reactor_.now_ms() + limits::kRepeatMs);
    auto owners = co_await store_.owners();
    if (!owners) {
        log(LogLevel::warn, "lease.recover_failed", owners.error().text);
        co_return;
    }
    for (const auto& info : *owners) {
        bool mine = info.owner.find(epoch_) != std::string::npos;
        if (shared) continue;  // who beats there is known after a while only
        if (is_process(info.owner) && !mine) {
            // The directory is locked by us: its process is dead.
            co_await reap(info.owner, "jobqd ended while the job ran");
        } else if (starts_with(info.owner, "w:")) {
            auto worker = workers_.meet(info.owner.substr(2));
            worker->owner = info.owner;
            if (worker->kind == WorkerKind::faktory) worker->kind = WorkerKind::runner;
            log(LogLevel::info, "lease.awaited", "an earlier worker may reconnect",
                {{"worker", worker->wid}, {"jobs", info.running}});
        }
    }
    ListRequest request;
    request.state = State::running;
    request.limit = limits::kListPageMax;
    bool more = true;
    while (more) {
        auto page = co_await store_.list(request);
        if (!page) co_return;
        std::vector<std::string> leased_by_job;
        for (auto& view : page->jobs) {
            // A process's own are ours, another daemon's, or a dead one's that is reaped.
            if (is_process(view.owner) || running_.count(view.job.jid)) continue;
            // Which of Faktory's workers it was is not stored.
            std::string worker = starts_with(view.owner, "w:") ? view.owner.substr(2) : "";
            if (view.owner == "faktory") leased_by_job.push_back(view.job.jid);
            note_found(std::move(view), worker);
        }
        co_await restore_leases(std::move(leased_by_job));
        request.cursor = page->next;
        more = !page->next.empty();
    }
    recovered_ = last;
    recover_at_ms_ = recover_until_ms_;
}

task<std::vector<Result<>>> Broker::finish_surely(std::vector<Ended> batch,
                                                  std::function<bool()> give_up) {
    std::vector<Result<>> results(batch.size());
    std::vector<size_t> open(batch.size());
    for (size_t i = 0; i < open.size(); ++i)
        open[i] = i;
    int64_t pause_ms = 20;
    bool told = false;
    while (!open.empty()) {
        std::vector<Ended> again;
        for (size_t i : open)
            again.push_back(batch[i]);
        auto answers = co_await finish(std::move(again));
        std::vector<size_t> still;
        for (size_t k = 0; k < open.size(); ++k) {
            results[open[k]] = std::move(answers[k]);
            const auto& result = results[open[k]];
            if (!result && !is_final(result.error().code)) still.push_back(open[k]);
        }
        open = std::move(still);
        if (open.empty() || give_up()) break;
        // That Redis refuses, or is away, is told elsewhere.
        const Error& why = results[open.front()].error();
        if (!info(why.code).retryable && !std::exchange(told, true))
            log(LogLevel::warn, "job.finish_delayed", why.text + "; it will be sent again",
                {{"jid", batch[open.front()].jid}, {"jobs", int64_t(open.size())}});
        co_await sleep_for(reactor_, pause_ms);
        pause_ms = std::min<int64_t>(2 * pause_ms, 1'000);
    }
    co_return results;
}

task<void> Broker::expire_leases() {
    std::vector<LeaseName> over;
    int64_t now = reactor_.now_ms();
    std::string from = "faktory", mine = "reaper:" + epoch_;
    for (const auto& [jid, known] : running_) {
        if (known.lease_ends_ms == 0 || known.lease_ends_ms > now) continue;
        if (kept_ends_.holds(jid)) continue;  // it ended in time
        over.push_back({jid, known.token});
        if (over.size() == limits::kScriptJobs) break;  // the others a moment later
    }
    if (over.empty()) co_return;
    auto leases = co_await store_.take_over(from, mine, over, int(limits::kScriptJobs));
    if (!leases) {
        unsettled_.insert(mine);  // it may have been done all the same
        co_return;
    }
    // Those the store does not know as running any more (a FLUSH, another daemon) are over here
    // too.
    std::set<std::string> taken;
    for (const auto& lease : *leases)
        taken.insert(lease.job.jid);
    for (const auto& one : over) {
        auto known = running_.find(one.jid);
        bool stale = known != running_.end() && known->second.lease_ends_ms != 0 &&
                     known->second.lease_ends_ms <= now && !taken.count(one.jid);
        if (stale) running_.erase(known);
    }
    if (metrics_) metrics_->leases_expired(leases->size());
    std::vector<Ended> batch;
    for (auto& lease : *leases) {
        FetchOrder order;
        order.owner = mine;
        auto known = running_.find(lease.job.jid);
        if (known != running_.end()) order.worker = known->second.worker;
        note_running(lease, order);
        Ended ended;
        ended.jid = lease.job.jid;
        ended.owner = mine;
        ended.token = lease.token;
        // Faktory counts an expired reservation as a failure, but drops a job with retry 0 by it:
        // at-least-once wants the crash rule there instead.
        bool only_run = lease.job.retry == 0;
        ended.report.outcome = lease.cancelled ? Outcome::cancelled
                               : only_run      ? Outcome::crash
                                               : Outcome::failure;
        ended.report.started_ms = lease.started_ms;
        ended.report.worker = order.worker;
        ended.report.error_type = "ReservationExpired";
        ended.report.message = "Faktory job reservation expired";
        batch.push_back(std::move(ended));
    }
    auto results = co_await finish(std::move(batch));
    for (const auto& result : results)
        if (!result) {
            log(LogLevel::warn, "job.expire_failed", result.error().text);
            if (!is_final(result.error().code)) unsettled_.insert(mine);
        }
}

task<std::vector<std::string>> Broker::adopt(
    std::string owner, std::string worker, std::vector<std::pair<std::string, std::string>> held) {
    std::vector<std::string> lost, unknown;
    for (const auto& [jid, token] : held) {
        Running* known = running(jid);
        if (!known) {
            unknown.push_back(jid);
        } else if (known->owner != owner || known->token != token) {
            lost.push_back(jid);
        } else {
            if (known->worker.empty()) known->worker = worker;
        }
    }
    for (const auto& jid : unknown) {
        Ended look;
        look.jid = jid;
        look.report.worker = worker;
        auto found = co_await find_running(look);
        Running* known = running(jid);
        bool gone = !found && found.error().code == ErrorCode::lease_lost;
        bool others = known && known->owner != owner;
        if (gone || others) lost.push_back(jid);
    }
    co_return lost;
}

}  // namespace jobq
