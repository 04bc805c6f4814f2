#include "daemon/observe/events.h"

#include <algorithm>

namespace jobq {

bool Events::Subscription::wants(std::string_view name) const {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

std::shared_ptr<Events::Subscription> Events::subscribe(std::vector<std::string> names) {
    auto subscription = std::make_shared<Subscription>(reactor_, std::move(names));
    std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
    subscribers_.push_back(subscription);
    return subscription;
}

bool Events::wanted(std::string_view name) const {
    for (const auto& weak : subscribers_) {
        auto subscription = weak.lock();
        if (!subscription || subscription->wants(name)) return true;  // publish() drops the former
    }
    return false;
}

void Events::publish(std::string name, std::string json) {
    if (subscribers_.empty()) return;
    auto event = std::make_shared<const Event>(Event{std::move(name), std::move(json)});
    for (auto it = subscribers_.begin(); it != subscribers_.end();) {
        auto subscription = it->lock();
        if (!subscription) {
            it = subscribers_.erase(it);
            continue;
        }
        ++it;
        if (!subscription->wants(event->name)) continue;
        subscription->waiting.push_back(event);
        if (subscription->waiting.size() > kBacklog) {
            subscription->waiting.pop_front();
            ++subscription->lost;
        }
        subscription->changed.notify_all();
    }
}

void Events::wake() {
    for (auto& weak : subscribers_)
        if (auto subscription = weak.lock()) subscription->changed.notify_all();
}

}  // namespace jobq
