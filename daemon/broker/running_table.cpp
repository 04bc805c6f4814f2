#include "daemon/broker/running_table.h"

namespace jobq {

const std::shared_ptr<LiveOutput>& Running::live_output(Reactor& reactor) {
    if (!output) output = std::make_shared<LiveOutput>(reactor);
    return output;
}

Running& RunningTable::add(const Leased& lease, std::string owner, std::string worker) {
    auto [place, is_new] = jobs_.try_emplace(lease.job.jid);
    Running& running = place->second;
    if (!is_new) {
        leave_owner(running);
        running = Running();
    }
    running.job = head_of(lease.job);
    running.content = content_of(lease.job);
    running.record = lease.record;
    running.owner_ = std::move(owner);
    running.token_ = lease.token;
    running.worker = std::move(worker);
    running.started_wall_ms = lease.started_ms;
    running.serial_ = ++serials_;
    auto& held = owners_[running.owner_];
    running.place_ = held.insert(held.end(), &running);
    return running;
}

Running* RunningTable::find(const std::string& jid) {
    auto found = jobs_.find(jid);
    return found == jobs_.end() ? nullptr : &found->second;
}

const Running* RunningTable::find(const std::string& jid) const {
    auto found = jobs_.find(jid);
    return found == jobs_.end() ? nullptr : &found->second;
}

void RunningTable::leave_owner(Running& running) {
    auto owner = owners_.find(running.owner_);
    owner->second.erase(running.place_);
    if (owner->second.empty()) owners_.erase(owner);
}

void RunningTable::remove(const std::string& jid) {
    auto found = jobs_.find(jid);
    if (found == jobs_.end()) return;
    leave_owner(found->second);
    jobs_.erase(found);
}

void RunningTable::remove(const std::string& jid, uint64_t serial) {
    const Running* known = find(jid);
    if (known && known->serial_ == serial) remove(jid);
}

void RunningTable::remove(const std::string& jid, const std::string& token) {
    const Running* known = find(jid);
    if (known && known->token_ == token) remove(jid);
}

RunningTable::Node RunningTable::take(const std::string& jid, uint64_t serial) {
    auto found = jobs_.find(jid);
    if (found == jobs_.end() || found->second.serial_ != serial) return {};
    leave_owner(found->second);
    return jobs_.extract(found);
}

const std::list<Running*>& RunningTable::of_owner(const std::string& owner) const {
    static const std::list<Running*> kNone;
    auto found = owners_.find(owner);
    return found == owners_.end() ? kNone : found->second;
}

std::vector<std::string> RunningTable::owners() const {
    std::vector<std::string> names;
    for (const auto& [owner, held] : owners_)
        names.push_back(owner);
    return names;
}

}  // namespace jobq
