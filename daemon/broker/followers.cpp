#include "daemon/broker/followers.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/protocol/runner_messages.h"

namespace jobq {
namespace {

constexpr size_t kMost = 100'000;  // jobs; who announces more is not awaited
constexpr int64_t kForgetMs = 1'000;

}  // namespace

void Followers::forget_old() {
    const int64_t now = reactor_.now_ms();
    if (now < look_ms_) return;
    look_ms_ = now + kForgetMs;
    std::erase_if(jobs_, [now](const auto& entry) {
        return entry.second.followers.empty() && entry.second.expected_until_ms <= now;
    });
}

void Followers::expect(const std::string& jid) {
    forget_old();
    if (jobs_.size() >= kMost) return;
    jobs_[jid].expected_until_ms = reactor_.now_ms() + limits::kOutputExpectMs;
}

int64_t Followers::room(const std::string& jid, const LiveOutput* live, bool kept) {
    const int64_t nobody = kept ? int64_t(limits::kOutputWindowBytes) : OutputRoom::kNobody;
    const auto found = jobs_.find(jid);
    if (found == jobs_.end()) return nobody;
    const int64_t now = reactor_.now_ms();
    const Job& job = found->second;
    int64_t unread = -1;
    if (job.followers.empty()) {
        if (job.expected_until_ms <= now) {
            jobs_.erase(found);
            return nobody;
        }
        unread = live ? live->unread(0) : 0;
    }
    for (Follower* follower : job.followers)
        unread = std::max(unread, live ? follower->unread(*live, now) : 0);
    if (unread < 0) return nobody;
    return std::max<int64_t>(0, int64_t(limits::kOutputWindowBytes) - unread);
}

int64_t Followers::keeps(const std::string& jid) const {
    return int64_t(jobs_.contains(jid) ? limits::kOutputFollowedBytes
                                       : 2 * limits::kOutputTailBytes);
}

Follower::Follower(Followers& followers, const std::string& jid)
    : followers_(followers), jid_(jid), job_(&followers.jobs_[jid]) {
    here_ = job_->followers.insert(job_->followers.end(), this);
}

Follower::~Follower() {
    job_->followers.erase(here_);
    const bool expected = job_->expected_until_ms > followers_.reactor_.now_ms();
    if (job_->followers.empty() && !expected) followers_.jobs_.erase(jid_);
    followers_.changed.notify_all();
}

int64_t Follower::unread(const LiveOutput& live, int64_t now_ms) {
    const int64_t all = live.unread(live_.get() == &live ? place_ : 0);
    if (all == 0) {
        behind_since_ms_ = 0;
    } else if (behind_since_ms_ == 0) {
        behind_since_ms_ = now_ms;
    } else if (now_ms - behind_since_ms_ >= limits::kOutputHoldMs) {
        return -1;
    }
    return all;
}

std::optional<OutputPiece> Follower::next(const std::shared_ptr<const LiveOutput>& live) {
    if (live_ != live) {
        live_ = live;
        place_ = 0;
    }
    auto piece = live->next(place_);
    behind_since_ms_ = 0;
    if (piece) followers_.changed.notify_all();
    return piece;
}

}  // namespace jobq
