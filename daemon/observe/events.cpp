#include "daemon/observe/events.h"

#include <algorithm>

namespace jobq {

bool EventFilter::wants(std::string_view name) const {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool EventFilter::takes(const Event& event) const {
    return wants(event.name) && (queue.empty() || queue == event.queue) &&
           (type.empty() || type == event.type);
}

Events::Subscription::Subscription(Reactor& reactor, EventFilter wanted,
                                   std::shared_ptr<Resumable> resumable)
    : filter(std::move(wanted)),
      changed(reactor),
      reactor_(reactor),
      resumable_(std::move(resumable)) {
    if (resumable_) ++resumable_->here;
}

Events::Subscription::~Subscription() {
    if (!resumable_) return;
    --resumable_->here;
    resumable_->until_ms = reactor_.now_ms() + kReplayMs;
}

void Events::Subscription::take(std::shared_ptr<const Event> event) {
    if (!filter.takes(*event)) return;
    waiting.push_back(std::move(event));
    changed.notify_all();
    if (waiting.size() <= kBacklog) return;
    waiting.pop_front();
    ++lost;
}

std::shared_ptr<Events::Subscription> Events::subscribe(EventFilter filter) {
    auto subscription = std::make_shared<Subscription>(reactor_, std::move(filter), nullptr);
    subscribers_.push_back(subscription);
    return subscription;
}

std::shared_ptr<Events::Subscription> Events::resume(EventFilter filter,
                                                     std::optional<uint64_t> after) {
    if (!keeps()) forget();
    auto subscription = std::make_shared<Subscription>(reactor_, std::move(filter), resumable_);
    if (after && *after < last_id_) {
        const uint64_t first = recent_.empty() ? last_id_ + 1 : recent_.front()->id;
        if (*after + 1 < first) subscription->lost = int64_t(first - *after - 1);
        for (const auto& event : recent_)
            if (event->id > *after) subscription->take(event);
    }
    subscribers_.push_back(subscription);
    return subscription;
}

bool Events::keeps() const {
    if (resumable_->here > 0) return true;
    return resumable_->until_ms != 0 && reactor_.now_ms() < resumable_->until_ms;
}

// From now on events may not be made: who comes back must see that there is a gap.
void Events::forget() {
    resumable_->until_ms = 0;
    recent_.clear();
    ++last_id_;
}

bool Events::wanted(std::string_view name) {
    for (const auto& weak : subscribers_) {
        auto subscription = weak.lock();
        // One that went: publish() sees to it.
        if (!subscription || subscription->filter.wants(name)) return true;
    }
    if (keeps()) return true;
    if (resumable_->until_ms != 0) forget();
    return false;
}

void Events::publish(Event event) {
    std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
    const bool kept = keeps();
    if (!kept && subscribers_.empty()) return;
    event.id = ++last_id_;
    auto shared = std::make_shared<const Event>(std::move(event));
    for (const auto& weak : subscribers_)
        if (auto subscription = weak.lock()) subscription->take(shared);
    if (!kept) return;
    recent_.push_back(std::move(shared));
    if (recent_.size() > kReplay) recent_.pop_front();
}

void Events::wake() {
    for (auto& weak : subscribers_)
        if (auto subscription = weak.lock()) subscription->changed.notify_all();
}

}  // namespace jobq
