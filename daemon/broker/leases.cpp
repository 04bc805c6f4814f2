#include "daemon/broker/leases.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/failpoint.h"
#include "daemon/observe/log.h"

namespace jobq {

Leases::Leases(Reactor& reactor, Store& store, Workers& workers, const CurrentConfig& config,
               const OwnerNames& names, RunningTable& running, RecentJids& recent, Wakeups& wakeups,
               Journal& journal, Attempts& attempts, KeptEnds& kept_ends, Holders& holders)
    : reactor_(reactor),
      store_(store),
      workers_(workers),
      config_(config),
      names_(names),
      running_(running),
      recent_(recent),
      wakeups_(wakeups),
      journal_(journal),
      attempts_(attempts),
      kept_ends_(kept_ends),
      holders_(holders) {}

// Who ran it so far.
static std::string worker_of(const RunningTable& running, const std::string& jid) {
    const Running* known = running.find(jid);
    return known ? known->worker : std::string();
}

// The end of a lease that `owner`, one of our names, took away: it is in the table from then on.
static Ended end_of_taken(RunningTable& running, const Leased& lease, const std::string& owner,
                          Outcome outcome, std::string error_type, std::string message) {
    Ended ended;
    ended.jid = lease.job.jid;
    ended.owner = owner;
    ended.token = lease.token;
    ended.report.outcome = lease.cancelled ? Outcome::cancelled : outcome;
    ended.report.started_ms = lease.started_ms;
    ended.report.error_type = std::move(error_type);
    ended.report.message = std::move(message);
    ended.report.worker = worker_of(running, lease.job.jid);
    running.add(lease, owner, ended.report.worker);
    return ended;
}

// One job can end its worker again and again, and with it all that run beside it: they would be
// poison too. Those that lost more than one worker run again one after the other.
task<void> Leases::settle_lost(std::vector<Leased> leases, std::string owner, std::string why) {
    journal_.leases_lost(leases.size());
    std::vector<Ended> batch;
    auto is_suspect = [](const Leased& lease) { return lease.record.lost > 0; };
    int64_t suspects = std::count_if(leases.begin(), leases.end(), is_suspect), before_it = 0;
    int64_t apart_ms = std::min(limits::kSuspectsApartMs,
                                limits::kSuspectsSpreadMs / std::max<int64_t>(1, suspects));
    for (auto& lease : leases) {
        Ended ended = end_of_taken(running_, lease, owner, Outcome::crash, "WorkerLost", why);
        if (JOBQ_FAILPOINT(orphan_dropped)) ended.report.outcome = Outcome::cancelled;
        if (is_suspect(lease)) ended.report.apart_ms = apart_ms * before_it++;
        batch.push_back(std::move(ended));
    }
    // Were it not heard now, the next process would find them under our name.
    int64_t until = reactor_.now_ms() + limits::kProcessLeaseMs;
    std::function<bool()> late = [this, until] { return reactor_.now_ms() > until; };
    auto results = co_await attempts_.finish_surely(std::move(batch), std::move(late));
    for (const auto& result : results) {
        if (result) continue;
        log(LogLevel::warn, "job.reap_failed", result.error().text);
        if (!is_final(result.error().code)) unsettled_.insert(owner);
    }
}

task<void> Leases::settle_rest() {
    if (!recovered_ && reactor_.now_ms() >= recover_at_ms_) co_await recover();
    wakeups_.look_again();
    std::set<std::string> owners = std::exchange(unsettled_, {});
    for (const auto& owner : owners) {
        auto worker = workers_.by_owner(owner);
        if (worker && worker->connections > 0 && !worker->gone) continue;  // it came back
        std::string name = owner, why = "its lease expired while the store did not answer";
        co_await reap(std::move(name), std::move(why));
    }
}

task<int> Leases::reap(std::string owner, std::string why) {
    int taken = 0;
    std::string mine = names_.reaper_of(owner);
    while (true) {
        std::vector<LeaseName> all;
        std::vector<std::pair<std::string, uint64_t>> before;
        for (const Running* known : running_.of_owner(owner))
            before.emplace_back(known->job.jid, known->serial());
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
            for (const auto& [jid, serial] : before)
                running_.remove(jid, serial);
            break;
        }
    }
    if (taken > 0)
        log(LogLevel::warn, "lease.returned", why, {{"owner", owner}, {"jobs", int64_t(taken)}});
    co_return taken;
}

task<Result<std::set<std::string>>> Leases::take_away(std::string from, std::vector<LeaseName> some,
                                                      std::string why) {
    std::string mine = names_.reaper_of(from);
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

task<void> Leases::restore(std::vector<std::string> jids) {
    if (jids.empty()) co_return;
    auto progress = co_await store_.progress(jids);
    if (!progress) co_return;
    for (size_t i = 0; i < jids.size(); ++i)
        if ((*progress)[i].lease_until_ms > 0) extend(jids[i], (*progress)[i].lease_until_ms);
}

task<void> Leases::meet_owners(std::vector<OwnerInfo> owners) {
    for (const auto& info : owners) {
        if (OwnerNames::is_process(info.owner) && !names_.is_mine(info.owner)) {
            // The directory is locked by us: its process is dead.
            co_await reap(info.owner, "jobqd ended while the job ran");
        } else if (info.owner.starts_with("w:")) {
            auto worker = workers_.meet(info.owner.substr(2));
            worker->owner = info.owner;
            if (worker->kind == WorkerKind::faktory) worker->kind = WorkerKind::runner;
            log(LogLevel::info, "lease.awaited", "an earlier worker may reconnect",
                {{"worker", worker->wid}, {"jobs", info.running}});
        }
    }
}

task<bool> Leases::note_all_running() {
    ListRequest request;
    request.state = State::running;
    request.limit = limits::kListPageMax;
    bool more = true;
    while (more) {
        auto page = co_await store_.list(request);
        if (!page) co_return false;
        std::vector<std::string> leased_by_job;
        for (auto& view : page->jobs) {
            // A process's own are ours, another daemon's, or a dead one's that is reaped.
            if (OwnerNames::is_process(view.owner) || running_.contains(view.job.jid)) continue;
            // Which of Faktory's workers it was is not stored.
            std::string worker = view.owner.starts_with("w:") ? view.owner.substr(2) : "";
            if (view.owner == kFaktoryOwner) leased_by_job.push_back(view.job.jid);
            attempts_.note_found(std::move(view), worker);
        }
        co_await restore(std::move(leased_by_job));
        request.cursor = page->next;
        more = !page->next.empty();
    }
    co_return true;
}

task<void> Leases::recover() {
    const bool shared = config_.has_shared_store();
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
    // Who beats in a shared one is known after a while only.
    if (!shared) co_await meet_owners(std::move(*owners));
    const bool noted = co_await note_all_running();
    if (!noted) co_return;
    recovered_ = last;
    recover_at_ms_ = recover_until_ms_;
}

task<void> Leases::settle_expired(std::vector<Leased> leases, std::string owner) {
    std::vector<Ended> batch;
    for (auto& lease : leases) {
        // Faktory counts an expired reservation as a failure, but drops a job with retry 0 by it:
        // at-least-once requires the crash rule there instead.
        const Outcome outcome = lease.job.retry == 0 ? Outcome::crash : Outcome::failure;
        Ended ended = end_of_taken(running_, lease, owner, outcome, "ReservationExpired",
                                   "Faktory job reservation expired");
        batch.push_back(std::move(ended));
    }
    auto results = co_await attempts_.finish(std::move(batch));
    for (const auto& result : results)
        if (!result) {
            log(LogLevel::warn, "job.expire_failed", result.error().text);
            if (!is_final(result.error().code)) unsettled_.insert(owner);
        }
}

task<void> Leases::expire() {
    std::vector<LeaseName> over;
    int64_t now = reactor_.now_ms();
    std::string from = kFaktoryOwner, mine = names_.reaper();
    for (const Running* known : running_.of_owner(from)) {
        if (known->lease_ends_ms == 0 || known->lease_ends_ms > now) continue;
        if (kept_ends_.holds(known->job.jid)) continue;  // it ended in time
        over.push_back({known->job.jid, known->token()});
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
        const Running* known = running_.find(one.jid);
        const bool stale = known && known->lease_ends_ms != 0 && known->lease_ends_ms <= now &&
                           !taken.count(one.jid);
        if (stale) running_.remove(one.jid);
    }
    journal_.leases_expired(leases->size());
    co_await settle_expired(std::move(*leases), mine);
}

task<std::vector<std::string>> Leases::adopt(
    std::string owner, std::string worker, std::vector<std::pair<std::string, std::string>> held) {
    std::vector<std::string> lost, unknown;
    for (const auto& [jid, token] : held) {
        Running* known = running_.find(jid);
        if (!known) {
            unknown.push_back(jid);
        } else if (known->owner() != owner || known->token() != token) {
            lost.push_back(jid);
        } else if (known->worker.empty()) {
            known->worker = worker;
        }
    }
    for (const auto& jid : unknown) {
        auto found = co_await attempts_.find_running(jid, worker);
        const Running* known = running_.find(jid);
        bool gone = !found && found.error().code == ErrorCode::lease_lost;
        bool others = known && known->owner() != owner;
        if (gone || others) lost.push_back(jid);
    }
    co_return lost;
}

task<void> Leases::end_cancelled_of_gone() {
    std::vector<std::pair<LeaseName, std::string>> found;
    for (const Running* known : running_.of_owner(kFaktoryOwner)) {
        if (!known->cancel_asked || holders_.of(*known) != Holder::gone) continue;
        if (kept_ends_.holds(known->job.jid)) continue;
        found.emplace_back(LeaseName{known->job.jid, known->token()}, known->worker);
        if (found.size() == limits::kScriptJobs) break;  // the others a moment later
    }
    if (found.empty()) co_return;
    auto beaten = co_await holders_.beaten_names();
    if (!beaten) co_return;
    std::vector<LeaseName> some;
    for (auto& [lease, wid] : found)
        if (wid.empty() || beaten->count(OwnerNames::beat_name(wid)) == 0)
            some.push_back(std::move(lease));
    if (some.empty()) co_return;
    std::string from = kFaktoryOwner, why = "its worker is gone";
    co_await take_away(std::move(from), std::move(some), std::move(why));
}

task<void> Leases::release_held_by(std::string wid, std::string why) {
    std::vector<LeaseName> some;
    for (const Running* known : running_.of_owner(kFaktoryOwner)) {
        if (known->worker != wid) continue;
        if (kept_ends_.holds(known->job.jid)) continue;  // its end came in time
        some.push_back({known->job.jid, known->token()});
        if (some.size() == limits::kScriptJobs) break;  // the others a moment later
    }
    if (some.empty()) co_return;
    std::string from = kFaktoryOwner;
    auto taken = co_await take_away(std::move(from), std::move(some), why);
    if (!taken || taken->empty()) co_return;
    log(LogLevel::warn, "lease.returned", why, {{"worker", wid}, {"jobs", int64_t(taken->size())}});
}

bool Leases::extend(const std::string& jid, int64_t until_wall_ms) {
    Running* known = running_.find(jid);
    if (!known || known->lease_ends_ms == 0) return false;
    int64_t more = std::min(until_wall_ms - reactor_.wall_ms(), limits::kReserveMaxS * 1000);
    known->lease_ends_ms = std::max(known->lease_ends_ms, reactor_.now_ms() + more);
    return true;
}

}  // namespace jobq
