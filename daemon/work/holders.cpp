// Broker: whether who holds a running job is there, and the leases of holders that are gone.
#include <map>
#include <optional>
#include <set>

#include "core/base/crc32c.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {

Holder Broker::holder_of(const Running& running) const {
    const bool faktory = running.owner == "faktory";
    if (is_process(running.owner)) return Holder::there;
    if (faktory && running.worker.empty()) {
        if (!running.connection.known) return Holder::unknown;
        return running.connection.open.expired() ? Holder::gone : Holder::there;
    }
    auto worker = faktory ? workers_.find(running.worker) : workers_.by_owner(running.owner);
    if (!worker) return faktory ? Holder::gone : Holder::unknown;
    return worker->is_gone() ? Holder::gone : Holder::there;
}

std::optional<Holder> Broker::holder_of(const std::string& jid) const {
    auto known = running_.find(jid);
    if (known == running_.end()) return std::nullopt;
    return holder_of(known->second);
}

std::string Broker::advice_on_holder(const std::string& jid) const {
    const auto holder = holder_of(jid);
    if (holder == Holder::gone)
        return "its worker is gone; jobq release " + jid + " ends its lease";
    if (holder == Holder::unknown)
        return "it is unknown whether its worker is connected; jobq release " + jid +
               " ends its lease if it is not";
    return {};
}

Error Broker::with_advice(Error error, const std::string& jid) const {
    const std::string advice =
        error.code == ErrorCode::conflict ? advice_on_holder(jid) : std::string();
    if (!advice.empty()) error.text += ", but " + advice;
    return error;
}

std::set<std::string> Broker::wids_with_jobs() const {
    std::set<std::string> wids;
    for (const auto& [jid, running] : running_)
        if (running.owner == "faktory" && !running.worker.empty()) wids.insert(running.worker);
    return wids;
}

// Who is connected to a jobqd beats in the store under a name of its own; a name that beats no more
// is taken out by whoever notices.
task<std::optional<std::set<std::string>>> Broker::beaten_names() {
    std::set<std::string> names;
    if (config_->redis.url.empty()) co_return names;
    auto all = co_await store_.owners();
    if (!all) co_return std::nullopt;
    for (const auto& info : *all)
        names.insert(info.owner);
    co_return names;
}

std::string Broker::beat_name(const std::string& wid) {
    constexpr size_t kWhole = 128;
    if (wid.size() <= kWhole) return "f:" + wid;
    return "f:" + wid.substr(0, kWhole) + "~" + std::to_string(crc32c(0, wid));
}

task<void> Broker::end_cancelled_of_gone() {
    std::vector<std::pair<LeaseName, std::string>> found;
    for (const auto& [jid, known] : running_) {
        if (!known.cancel_asked || known.owner != "faktory") continue;
        if (holder_of(known) != Holder::gone || kept_ends_.holds(jid)) continue;
        found.emplace_back(LeaseName{jid, known.token}, known.worker);
        if (found.size() == limits::kScriptJobs) break;  // the others a moment later
    }
    if (found.empty()) co_return;
    auto beaten = co_await beaten_names();
    if (!beaten) co_return;
    std::vector<LeaseName> some;
    for (auto& [lease, wid] : found)
        if (wid.empty() || beaten->count(beat_name(wid)) == 0) some.push_back(std::move(lease));
    if (some.empty()) co_return;
    std::string from = "faktory", why = "its worker is gone";
    co_await take_away(std::move(from), std::move(some), std::move(why));
}

task<void> Broker::release_held_by(std::string wid, std::string why) {
    std::vector<LeaseName> some;
    for (const auto& [jid, known] : running_) {
        if (known.owner != "faktory" || known.worker != wid) continue;
        if (kept_ends_.holds(jid)) continue;  // its end came in time
        some.push_back({jid, known.token});
        if (some.size() == limits::kScriptJobs) break;  // the others a moment later
    }
    if (some.empty()) co_return;
    std::string from = "faktory";
    auto taken = co_await take_away(std::move(from), std::move(some), why);
    if (!taken || taken->empty()) co_return;
    log(LogLevel::warn, "lease.returned", why, {{"worker", wid}, {"jobs", int64_t(taken->size())}});
}

}  // namespace jobq
