#include "daemon/broker/returns.h"

#include <algorithm>
#include <set>

#include "daemon/observe/log.h"

namespace jobq {

Returns::Returns(Reactor& reactor, Store& store, const OwnerNames& names, RunningTable& running,
                 Attempts& attempts)
    : reactor_(reactor), store_(store), names_(names), running_(running), attempts_(attempts) {}

// Of jobs that the table has.
static Leased lease_of(const Running& running) {
    Leased lease;
    lease.job.jid = running.job.jid;
    lease.token = running.token();
    return lease;
}

task<bool> Returns::hand_back(std::vector<Leased> leases, std::string owner) {
    // In the order in which they were taken: so they wait again as they did.
    auto serial = [this](const Leased& lease) {
        const Running* known = running_.find(lease.job.jid);
        return known ? known->serial() : 0;
    };
    std::stable_sort(leases.begin(), leases.end(),
                     [&](const Leased& a, const Leased& b) { return serial(a) < serial(b); });
    std::vector<Ended> back;
    for (auto& lease : leases) {
        Ended ended;
        ended.jid = lease.job.jid;
        ended.owner = owner;
        ended.token = lease.token;
        ended.report.outcome = Outcome::released;
        back.push_back(std::move(ended));
    }
    auto results = co_await attempts_.finish(std::move(back));
    bool sure = true;
    for (size_t i = 0; i < results.size(); ++i) {
        if (results[i]) continue;
        log(LogLevel::warn, "job.release_failed", results[i].error().text);
        const bool again = !is_final(results[i].error().code);
        if (again) look_for(leases[i].token, leases[i].job.jid);
        sure = sure && !again;
    }
    co_return sure;
}

void Returns::look_for(const std::string& token, const std::string& jid) {
    lost_[{token, jid}] = reactor_.now_ms() + 2 * limits::kRedisDeadlineMs;
}

bool Returns::is_lost(const JobView& view) const {
    return lost_.count({view.token, ""}) || lost_.count({view.token, view.job.jid});
}

// Whatever is under our name for it stays to be handed back, should an answer be lost on the way:
// then the next call finds it there. No attempt is spent: nobody ever ran these.
task<void> Returns::recall() {
    const std::string mine = names_.recaller();
    std::map<std::string, std::vector<LeaseName>> by_owner;
    ListRequest request;
    request.state = State::running;
    request.limit = limits::kListPageMax;
    bool more = true;
    while (more) {
        auto page = co_await store_.list(request);
        if (!page) co_return;
        for (const auto& view : page->jobs)
            if (is_lost(view) || view.owner == mine || view.owner == mine + "-again")
                by_owner[view.owner].push_back({view.job.jid, view.token});
        request.cursor = page->next;
        more = !page->next.empty();
    }
    bool sure = true;
    for (const auto& [owner, lost] : by_owner) {
        std::string to = owner == mine ? mine + "-again" : mine;
        auto leases = co_await store_.take_over(owner, to, lost, int(limits::kScriptJobs));
        if (!leases) co_return;
        log(LogLevel::info, "lease.recalled", "recalled jobs of a fetch whose answer was lost",
            {{"owner", owner}, {"jobs", int64_t(leases->size())}});
        for (const auto& lease : *leases)
            running_.add(lease, to, "");
        bool answered = co_await hand_back(std::move(*leases), to);
        sure = sure && answered;
    }
    if (sure) forget_over();
}

void Returns::forget_over() {
    const int64_t now = reactor_.now_ms();
    for (auto lost = lost_.begin(); lost != lost_.end();) {
        const auto& [token, jid] = lost->first;
        const bool over = lost->second <= now;
        // Not found to run: its end was stored, and the answer lost.
        if (over) running_.remove(jid, token);
        lost = over ? lost_.erase(lost) : std::next(lost);
    }
}

task<void> Returns::hand_back_unheard(std::string owner, std::vector<std::string> named) {
    constexpr int kBeats = 3;
    std::set<std::string> names(named.begin(), named.end());
    std::vector<Leased> unheard;
    int64_t before = reactor_.wall_ms() - limits::kProcessLeaseMs;
    for (Running* known : running_.of_owner(owner)) {
        known->missed_beats = names.count(known->job.jid) ? 0 : known->missed_beats + 1;
        if (known->missed_beats < kBeats || known->started_wall_ms > before) continue;
        unheard.push_back(lease_of(*known));
    }
    if (unheard.empty()) co_return;
    log(LogLevel::warn, "lease.unheard",
        "the worker does not know these jobs; they go back to their queues",
        {{"owner", owner}, {"jobs", int64_t(unheard.size())}});
    co_await hand_back(std::move(unheard), owner);
}

task<void> Returns::hand_back_all(std::string owner) {
    std::vector<Leased> held;
    for (const Running* known : running_.of_owner(owner))
        held.push_back(lease_of(*known));
    if (!held.empty()) co_await hand_back(std::move(held), std::move(owner));
}

}  // namespace jobq
