// When to sweep, and whose an orphan is; see orphan_sweeper.h. What a sweep is:
// daemon/loop/orphans.h. Must stay true: no timer runs while nothing runs and nothing is left over.
#include "daemon/runner/orphan_sweeper.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace jobq {
namespace {

constexpr int64_t kAgainMs = 20;           // after a kill, and while a job's rest has its grace
constexpr int64_t kWhileRunningMs = 5000;  // orphans that die during a job are reaped then
constexpr int kLooks = 3;                  // until two in a row see the same

}  // namespace

OrphanSweeper::~OrphanSweeper() {
    reactor_.cancel(timer_);
}

void OrphanSweeper::enter(int leader, const std::string& jid) {
    Family family;
    family.jid = jid;
    families_[leader] = std::move(family);
    if (timer_ == 0) timer_ = reactor_.after(kWhileRunningMs, [this] { sweep(); });
}

// Again when something came meanwhile: who is just being started must not be missed.
void OrphanSweeper::note(int leader) {
    auto found = families_.find(leader);
    if (found == families_.end()) return;
    auto& noted = found->second.noted;
    for (int look = 0; look < kLooks; ++look) {
        const size_t before = noted.size();
        for (const auto& process : descendants(leader))
            noted.insert(process.id);
        if (noted.size() == before) return;
    }
}

// But those in the leader's group, which got it together.
void OrphanSweeper::signal_noted(int leader, int number) {
    auto found = families_.find(leader);
    if (found == families_.end()) return;
    for (const auto& id : found->second.noted) {
        const auto info = process_info(id.pid);
        if (info && info->id == id && info->group != leader) signal_process(id, number);
    }
}

void OrphanSweeper::terminate(Child& leader) {
    const int pid = leader.pid();
    note(pid);
    leader.signal_group(SIGTERM);
    signal_noted(pid, SIGTERM);
    // One that is stopped can't take the TERM.
    leader.signal_group(SIGCONT);
    signal_noted(pid, SIGCONT);
}

void OrphanSweeper::kill(Child& leader) {
    note(leader.pid());
    leader.signal_group(SIGKILL);
    signal_noted(leader.pid(), SIGKILL);
}

void OrphanSweeper::linger(int leader, std::function<void()> on_gone) {
    auto found = families_.find(leader);
    if (found == families_.end()) return;
    found->second.lingers = true;
    found->second.on_gone = std::move(on_gone);
    sweep();
}

void OrphanSweeper::leave(int leader) {
    families_.erase(leader);
    if (guard_) guard_->leave(leader);
    sweep();
}

OrphanSweeper::Family* OrphanSweeper::family_of(const Orphan& orphan) {
    const auto info = process_info(orphan.pid);
    Family* lingering = nullptr;
    for (auto& [leader, family] : families_) {
        if (info && family.noted.contains(info->id)) return &family;
        if (family.lingers) lingering = &family;
    }
    // One that was started after the look; or its leader does not want to be a subreaper.
    auto by_session = families_.find(orphan.session);
    if (by_session != families_.end()) return &by_session->second;
    for (auto& [leader, family] : families_)
        if (!orphan.jid.empty() && family.jid == orphan.jid) return &family;
    return lingering;
}

void OrphanSweeper::tell_gone() {
    for (auto& [leader, family] : families_) {
        if (!family.lingers || family.living > 0 || !family.on_gone) continue;
        reactor_.defer([this, pid = leader, alive = std::weak_ptr<bool>(alive_)] {
            if (alive.expired()) return;
            auto found = families_.find(pid);
            if (found == families_.end()) return;
            if (auto tell = std::exchange(found->second.on_gone, nullptr)) tell();
        });
    }
}

void OrphanSweeper::sweep() {
    reactor_.cancel(timer_);
    timer_ = 0;
    for (auto& [leader, family] : families_)
        family.living = 0;
    const int killed = sweep_orphans([this](const Orphan& orphan) {
        Family* family = family_of(orphan);
        if (family != nullptr) ++family->living;
        return family != nullptr;
    });
    tell_gone();
    clean_ = killed == 0;
    if (clean_ && families_.empty()) return;
    auto waits = [](const auto& entry) { return entry.second.lingers; };
    const bool soon = !clean_ || std::any_of(families_.begin(), families_.end(), waits);
    timer_ = reactor_.after(soon ? kAgainMs : kWhileRunningMs, [this] { sweep(); });
}

}  // namespace jobq
