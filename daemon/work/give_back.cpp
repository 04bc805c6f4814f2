// Broker: jobs that go back to their queues without an attempt spent: they were taken and never
// began, or nobody heard that they were taken.
#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {

task<bool> Broker::hand_back(std::vector<Leased> leases, std::string owner) {
    // In the order in which they were taken: so they wait again as they did.
    auto serial = [this](const Leased& lease) {
        const Running* known = running(lease.job.jid);
        return known ? known->serial : 0;
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
    auto results = co_await finish(std::move(back));
    bool sure = true;
    for (size_t i = 0; i < results.size(); ++i) {
        if (results[i]) continue;
        log(LogLevel::warn, "job.release_failed", results[i].error().text);
        const bool again = !is_final(results[i].error().code);
        if (again) look_for_lost(leases[i].token, leases[i].job.jid);
        sure = sure && !again;
    }
    co_return sure;
}

void Broker::look_for_lost(const std::string& token, const std::string& jid) {
    lost_fetches_[{token, jid}] = reactor_.now_ms() + 2 * limits::kRedisDeadlineMs;
}

void Broker::note_unknown(const Error& error) {
    if (error.code != ErrorCode::unknown) return;
    look_again_ms_ = reactor_.now_ms() + 2 * limits::kRedisDeadlineMs;
}

bool Broker::is_lost(const JobView& view) const {
    return lost_fetches_.count({view.token, ""}) || lost_fetches_.count({view.token, view.job.jid});
}

// Whatever is under our name for it stays to be handed back, should an answer be lost on the way:
// then the next call finds it there. No attempt is spent: nobody ever ran these.
task<void> Broker::recall_lost_fetches() {
    const std::string mine = "reaper:" + epoch_ + "-recall";
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
        FetchOrder order;
        order.owner = to;
        for (const auto& lease : *leases)
            note_running(lease, order);
        bool answered = co_await hand_back(std::move(*leases), to);
        sure = sure && answered;
    }
    if (!sure) co_return;
    int64_t now = reactor_.now_ms();
    for (auto lost = lost_fetches_.begin(); lost != lost_fetches_.end();) {
        const auto& [token, jid] = lost->first;
        auto known = running_.find(jid);
        bool over = lost->second <= now;
        // Not found to run: its end was stored, and the answer lost.
        if (over && known != running_.end() && known->second.token == token) running_.erase(known);
        lost = over ? lost_fetches_.erase(lost) : std::next(lost);
    }
}

task<void> Broker::hand_back_unheard(std::string owner, std::vector<std::string> named) {
    constexpr int kBeats = 3;
    std::set<std::string> names(named.begin(), named.end());
    std::vector<Leased> unheard;
    int64_t before = reactor_.wall_ms() - limits::kProcessLeaseMs;
    for (auto& [jid, known] : running_) {
        if (known.owner != owner) continue;
        known.missed_beats = names.count(jid) ? 0 : known.missed_beats + 1;
        if (known.missed_beats < kBeats || known.started_wall_ms > before) continue;
        Leased lease;
        lease.job.jid = jid;
        lease.token = known.token;
        unheard.push_back(std::move(lease));
    }
    if (unheard.empty()) co_return;
    log(LogLevel::warn, "lease.unheard",
        "the worker does not know these jobs; they go back to their queues",
        {{"owner", owner}, {"jobs", int64_t(unheard.size())}});
    co_await hand_back(std::move(unheard), owner);
}

task<void> Broker::hand_back_all(std::string owner) {
    std::vector<Leased> held;
    for (const auto& [jid, known] : running_) {
        if (known.owner != owner) continue;
        Leased lease;
        lease.job.jid = jid;
        lease.token = known.token;
        held.push_back(std::move(lease));
    }
    if (!held.empty()) co_await hand_back(std::move(held), std::move(owner));
}

bool Broker::extend_lease(const std::string& jid, int64_t until_wall_ms) {
    Running* known = running(jid);
    if (!known || known->lease_ends_ms == 0) return false;
    int64_t more = std::min(until_wall_ms - reactor_.wall_ms(), limits::kReserveMaxS * 1000);
    known->lease_ends_ms = std::max(known->lease_ends_ms, reactor_.now_ms() + more);
    return true;
}

}  // namespace jobq
