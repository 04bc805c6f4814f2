#include "daemon/observe/events.h"

namespace jobq {

std::shared_ptr<Events::Subscription> Events::subscribe() {
    auto subscription = std::make_shared<Subscription>(reactor_);
    subscribers_.push_back(subscription);
    return subscription;
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
        subscription->waiting.push_back(event);
        if (subscription->waiting.size() > kBacklog) {
            subscription->waiting.pop_front();
            ++subscription->lost;
        }
        subscription->changed.notify_all();
        ++it;
    }
}

void Events::wake() {
    for (auto& weak : subscribers_)
        if (auto subscription = weak.lock()) subscription->changed.notify_all();
}

}  // namespace jobq
