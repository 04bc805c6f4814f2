#include "daemon/broker/watchers.h"

namespace jobq {

void Watchers::changed(const std::string& jid) {
    auto found = watches_.find(jid);
    if (found == watches_.end()) return;
    for (JobWatch* watch : found->second) {
        watch->changed_.insert(jid);
        watch->signal_.notify_all();
    }
}

task<void> Watchers::wait_for(std::string jid, int64_t limit_ms) {
    std::vector<std::string> one;
    one.push_back(std::move(jid));
    JobWatch watch(*this, std::move(one));
    co_await watch.wait(limit_ms);
}

JobWatch::JobWatch(Watchers& watchers, std::vector<std::string> jids)
    : watchers_(watchers), jids_(std::move(jids)), signal_(watchers.reactor_) {
    for (const auto& jid : jids_)
        watchers_.watches_[jid].push_back(this);
}

JobWatch::~JobWatch() {
    for (const auto& jid : jids_) {
        auto found = watchers_.watches_.find(jid);
        if (found == watchers_.watches_.end()) continue;
        std::erase(found->second, this);
        if (found->second.empty()) watchers_.watches_.erase(found);
    }
}

task<void> JobWatch::wait(int64_t limit_ms) {
    if (!changed_.empty()) co_return;
    auto wait = signal_.wait(limit_ms);
    co_await wait;
}

}  // namespace jobq
