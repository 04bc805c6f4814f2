#include "daemon/broker/holders.h"

#include <map>
#include <utility>

#include "core/async/wait.h"
#include "core/base/limits.h"
#include "daemon/broker/owner_names.h"

namespace jobq {

Holders::Holders(Reactor& reactor, Store& store, const CurrentConfig& config,
                 const Workers& workers, const RunningTable& running)
    : reactor_(reactor), store_(store), config_(config), workers_(workers), running_(running) {}

Holder Holders::of(const Running& running) const {
    const bool faktory = running.owner() == kFaktoryOwner;
    if (OwnerNames::is_process(running.owner())) return Holder::there;
    if (faktory && running.worker.empty()) {
        if (!running.connection.known) return Holder::unknown;
        return running.connection.open.expired() ? Holder::gone : Holder::there;
    }
    auto worker = faktory ? workers_.find(running.worker) : workers_.by_owner(running.owner());
    if (!worker) return faktory ? Holder::gone : Holder::unknown;
    return worker->is_gone() ? Holder::gone : Holder::there;
}

std::optional<Holder> Holders::of(const std::string& jid) const {
    const Running* known = running_.find(jid);
    if (!known) return std::nullopt;
    return of(*known);
}

std::string Holders::advice(const std::string& jid) const {
    const auto holder = of(jid);
    if (holder == Holder::gone)
        return "its worker is gone; jobq release " + jid + " ends its lease";
    if (holder == Holder::unknown)
        return "it is unknown whether its worker is connected; jobq release " + jid +
               " ends its lease if it is not";
    return {};
}

Error Holders::with_advice(Error error, const std::string& jid) const {
    const std::string what = error.code == ErrorCode::conflict ? advice(jid) : std::string();
    if (!what.empty()) error.text += ", but " + what;
    return error;
}

std::set<std::string> Holders::wids_with_jobs() const {
    std::set<std::string> wids;
    for (const Running* running : running_.of_owner(kFaktoryOwner))
        if (!running->worker.empty()) wids.insert(running->worker);
    return wids;
}

// Who is connected to a jobqd beats in the store under a name of its own; a name that beats no more
// is taken out by whoever notices.
task<std::optional<std::set<std::string>>> Holders::beaten_names() {
    std::set<std::string> names;
    if (!config_.has_shared_store()) co_return names;
    auto all = co_await store_.owners();
    if (!all) co_return std::nullopt;
    for (const auto& info : *all)
        names.insert(info.owner);
    co_return names;
}

std::string Holders::beat_name_of(const JobView& view) const {
    if (view.owner != kFaktoryOwner) return view.owner;
    const Running* known = running_.find(view.job.jid);
    if (!known || known->worker.empty()) return "";
    return OwnerNames::beat_name(known->worker);
}

task<std::set<std::string>> Holders::beating_elsewhere(std::set<std::string> owners) {
    std::set<std::string> beating;
    std::map<std::string, int64_t> before;
    for (int look = 0; look < 2 && !owners.empty(); ++look) {
        if (look == 1) co_await sleep_for(reactor_, limits::kBeatEveryMs * 3 / 2);
        auto all = co_await store_.owners();
        // Unknown: they are taken to be there.
        if (!all) co_return owners;
        for (const auto& one : *all) {
            if (owners.count(one.owner) == 0) continue;
            if (look == 0) before[one.owner] = one.beat;
            if (look == 1 && before[one.owner] != one.beat) beating.insert(one.owner);
        }
    }
    co_return beating;
}

}  // namespace jobq
