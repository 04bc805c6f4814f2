// Witness: jobs come, are leased and end. The end of a run is checked in witness_end.cpp.
#include "tests/sim/witness.h"

#include <algorithm>

#include "core/base/limits.h"

namespace jobq::sim {
namespace {

// The moment a lease is found to be over and the moment it is taken are not the same.
constexpr int64_t kSlackMs = 12'000;

int runs_of(const Job& job) {
    if (job.max_attempts) return *job.max_attempts;
    if (job.retry) return *job.retry < 0 ? 1 : *job.retry + 1;
    return limits::kDefaultRetries + 1;
}

}  // namespace

Known* Witness::known(const std::string& jid, const char* what) {
    auto found = jobs_.find(jid);
    if (found != jobs_.end()) return &found->second;
    world_.violated("S2", std::string(what) + " of " + jid + ", which nobody enqueued");
    return nullptr;
}

void Witness::tried(const Job& job) {
    jobs_[job.jid].job = job;
}

void Witness::acknowledged(const Job& job, const Enqueued& enqueued) {
    Known& one = jobs_[enqueued.jid];
    one.acknowledged = true;
    if (one.stored == 0)
        world_.violated("S1", "the acknowledged job " + enqueued.jid + " was never stored");
    if (enqueued.how != Enqueued::How::existing && enqueued.jid != job.jid)
        world_.violated("S7", job.jid + " was answered as " + enqueued.jid);
}

void Witness::check_stored(const Job& job, const Enqueued& enqueued) {
    if (enqueued.how != Enqueued::How::stored) return;
    Known& one = jobs_[job.jid];
    if (one.live) world_.violated("S7", job.jid + " was stored while it is live");
    if (!job.idempotency_key.empty() && !world_.plan.far_jump) {
        auto [key, first] = keys_.emplace(job.idempotency_key, job.jid);
        if (!first)
            world_.violated("S7", "key " + job.idempotency_key + " has made " + key->second +
                                      " and " + job.jid);
    }
    if (job.ties && !job.ties->lock.empty())
        for (const auto& [jid, other] : jobs_)
            if (other.live && other.lock == job.ties->lock &&
                other.lock_until_ms > world_.latest_wall())
                world_.violated("S7", job.jid + " and " + jid + " hold the lock " + other.lock);
    int stored = one.stored, starts = one.starts;
    bool acknowledged = one.acknowledged;
    one = Known{};
    one.job = job;
    one.acknowledged = acknowledged;
    one.stored = stored + 1;
    one.starts = starts;
    one.live = true;
    one.place = enqueued.state;
    one.due_ms = job.run_at_ms;
    if (!job.ties) return;
    one.lock = job.ties->lock;
    one.lock_until_ms = std::max(world_.wall(), job.run_at_ms) + job.ties->lock_for_ms;
}

task<Result<std::vector<Result<Enqueued>>>> Witness::enqueue(std::vector<Job> jobs) {
    auto results = co_await below_.enqueue(jobs);
    for (size_t i = 0; results && i < jobs.size(); ++i)
        if ((*results)[i]) check_stored(jobs[i], *(*results)[i]);
    check_places();
    co_return results;
}

void Witness::check_lease(Known& job, const Leased& lease) {
    const std::string& jid = lease.job.jid;
    if (lease.job.args != job.job.args || lease.job.type != job.job.type)
        world_.violated("S2", jid + " comes out with other bytes than went in");
    if (!job.live) {
        bool cancelled = job.ended == Move::cancel;
        world_.violated(cancelled ? "S11" : "S3", jid + " is leased though it is over");
    } else if (job.place == State::running) {
        world_.violated("S3", jid + " is leased to two: " + job.owner + " holds it");
    } else if (job.place == State::dead) {
        world_.violated("S6", jid + " is leased though it is dead");
    }
    if (job.due_ms > world_.latest_wall())
        world_.violated("S5", jid + " is leased " +
                                  std::to_string(job.due_ms - world_.latest_wall()) + " ms early");
    if (job.crashes >= limits::kCrashBudget)
        world_.violated("S6", jid + " is leased after " + std::to_string(job.crashes) + " crashes");
    if (job.failures + job.crashes - job.lost >= runs_of(job.job))
        world_.violated("S6", jid + " is leased though its " + std::to_string(runs_of(job.job)) +
                                  " runs are spent");
}

task<Result<std::vector<Leased>>> Witness::fetch(FetchRequest request) {
    auto leases = co_await below_.fetch(request);
    if (!leases) co_return leases;
    if (leases->size() > size_t(request.count))
        world_.violated("S13", request.owner + " was given more than it asked for");
    for (const auto& lease : *leases) {
        Known* job = known(lease.job.jid, "a lease");
        if (!job) continue;
        check_lease(*job, lease);
        job->place = State::running;
        job->owner = request.owner;
        job->token = lease.token;
        job->leased_ms = world_.now();
        job->leased_wall_ms = world_.wall();
        job->due_ms = 0;
        if (job->job.ties && job->job.ties->until_start) job->lock.clear();
        if (world_.tracing) world_.say("  leased " + lease.job.jid + " to " + request.owner);
    }
    check_places();
    co_return leases;
}

void Witness::hear(Silence& silence) {
    if (silence.heard_ms != 0 && world_.now() - silence.heard_ms >= limits::kProcessLeaseMs)
        silence.broken_ms = world_.now();
    silence.heard_ms = world_.now();
}

void Witness::heard(const std::string& owner) {
    hear(heard_[owner]);
}

task<Result<>> Witness::beat(std::vector<std::string> owners) {
    for (const auto& owner : owners)
        hear(beats_[owner]);
    return below_.beat(std::move(owners));
}

bool Witness::is_dead(const std::string& owner) const {
    return std::any_of(dead_.begin(), dead_.end(), [&](const std::string& part) {
        return owner.find(part) != std::string::npos;
    });
}

bool Witness::was_silent(const std::map<std::string, Silence>& book,
                         const std::string& owner) const {
    auto found = book.find(owner);
    if (found == book.end()) return true;
    return world_.now() - found->second.heard_ms >= limits::kProcessLeaseMs ||
           world_.now() - found->second.broken_ms <= kSlackMs;
}

// A daemon hears its workers; the others see the beats it puts into the store for them.
bool Witness::silent(const std::string& owner) const {
    if (owner.rfind("w:", 0) == 0 && was_silent(heard_, owner)) return true;
    return world_.plan.daemons > 1 && was_silent(beats_, owner);
}

// Whether a lease may be taken from its owner: it is dead or silent, its time is over, or it never
// started the job.
bool Witness::may_take(const std::string& from, const Known& job) const {
    if (is_dead(from) || !runs_now(job.job.jid, job.token)) return true;
    if (from != "faktory") return silent(from);
    // What passed while no daemon ran is known by the wall clock alone.
    int64_t passed =
        std::max(world_.now() - job.leased_ms, world_.latest_wall() - job.leased_wall_ms);
    return passed >= job.job.reserve_for_s * 1000;
}

task<Result<std::vector<Leased>>> Witness::take_over(std::string from, std::string to,
                                                     std::vector<LeaseName> some, int limit) {
    auto leases = co_await below_.take_over(from, to, some, limit);
    if (!leases) co_return leases;
    for (const auto& lease : *leases) {
        Known* job = known(lease.job.jid, "a take-over");
        if (!job) continue;
        if (!job->live || job->place != State::running || job->owner != from)
            world_.violated("S3",
                            lease.job.jid + " is taken from " + from + ", which does not hold it");
        if (!may_take(from, *job))
            world_.violated("S4",
                            lease.job.jid + " is taken from " + from + ", which lives and beats");
        job->owner = to;
        job->token = lease.token;
        job->leased_ms = world_.now();
        if (world_.tracing) world_.say("  taken " + lease.job.jid + " from " + from + " by " + to);
    }
    check_places();
    co_return leases;
}

task<Result<std::vector<Result<Cancelled>>>> Witness::cancel(std::vector<std::string> jids) {
    auto results = co_await below_.cancel(jids);
    for (size_t i = 0; results && i < jids.size(); ++i) {
        const auto& result = (*results)[i];
        Known* job = result ? known(jids[i], "a cancel") : nullptr;
        if (!job) continue;
        if (result->was == State::running)
            job->cancel_asked = true;
        else
            end(*job, Move::cancel);
    }
    check_places();
    co_return results;
}

task<Result<std::vector<Result<>>>> Witness::requeue(std::vector<std::string> jids, bool revive) {
    auto results = co_await below_.requeue(jids, revive);
    for (size_t i = 0; results && i < jids.size(); ++i) {
        Known* job = (*results)[i] ? known(jids[i], "a requeue") : nullptr;
        if (!job) continue;
        job->place = State::ready;
        job->due_ms = 0;
        if (revive) job->failures = job->crashes = job->lost = 0;
    }
    check_places();
    co_return results;
}

}  // namespace jobq::sim
