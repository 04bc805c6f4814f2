// When to sweep; see orphan_sweeper.h. What a sweep is: daemon/loop/orphans.h.
// Must stay true: no timer runs while nothing runs and nothing is left over.
#include "daemon/runner/orphan_sweeper.h"

#include <algorithm>

#include "daemon/loop/orphans.h"

namespace jobq {
namespace {

constexpr int64_t kAgainMs = 20;           // after a kill: its children come to us
constexpr int64_t kWhileRunningMs = 5000;  // orphans that die during a job are reaped then

}  // namespace

OrphanSweeper::~OrphanSweeper() {
    reactor_.cancel(timer_);
}

void OrphanSweeper::enter(int session, const std::string& jid) {
    sessions_[session] = jid;
    if (timer_ == 0) timer_ = reactor_.after(kWhileRunningMs, [this] { sweep(); });
}

void OrphanSweeper::leave(int session) {
    sessions_.erase(session);
    if (guard_) guard_->leave(session);
    sweep();
}

void OrphanSweeper::sweep() {
    reactor_.cancel(timer_);
    timer_ = 0;
    int killed = sweep_orphans([this](const Orphan& orphan) {
        if (sessions_.contains(orphan.session)) return true;
        auto owns = [&](const auto& entry) { return entry.second == orphan.jid; };
        return !orphan.jid.empty() && std::any_of(sessions_.begin(), sessions_.end(), owns);
    });
    clean_ = killed == 0;
    if (clean_ && sessions_.empty()) return;
    timer_ = reactor_.after(clean_ ? kWhileRunningMs : kAgainMs, [this] { sweep(); });
}

}  // namespace jobq
