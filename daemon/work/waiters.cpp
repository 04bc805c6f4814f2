#include "daemon/work/waiters.h"

namespace jobq {

uint64_t Waiters::pushes(const std::vector<std::string>& queues) const {
    uint64_t sum = everywhere_;
    for (const auto& name : queues) {
        auto found = queues_.find(name);
        if (found != queues_.end()) sum += found->second.pushes;
    }
    return sum;
}

task<void> Waiters::wait(std::vector<std::string> queues, uint64_t seen, int64_t limit_ms,
                         std::shared_ptr<Ticket> ticket) {
    if (ticket->interrupted || limit_ms <= 0 || pushes(queues) != seen) co_return;
    std::vector<std::pair<std::string, std::list<std::shared_ptr<Ticket>>::iterator>> places;
    for (const auto& name : queues) {
        auto& list = queues_[name].waiting;
        list.push_back(ticket);
        places.emplace_back(name, std::prev(list.end()));
    }
    ticket->woken = false;
    ticket->since_ms = reactor_.now_ms();
    auto signal = ticket->signal.wait(limit_ms);
    co_await signal;
    for (auto& [name, place] : places) {
        auto entry = queues_.find(name);
        entry->second.waiting.erase(place);
        // A name nobody ever pushed to is forgotten: clients may ask for any.
        if (entry->second.waiting.empty() && entry->second.pushes == 0) queues_.erase(entry);
    }
}

void Waiters::pass_on(const std::vector<std::string>& queues) {
    for (const auto& name : queues) {
        auto entry = queues_.find(name);
        if (entry == queues_.end()) continue;
        for (const auto& ticket : entry->second.waiting) {
            if (ticket->woken || ticket->interrupted) continue;
            ticket->woken = true;
            ticket->signal.notify_all();
            break;
        }
    }
}

void Waiters::notify(const std::string& queue, int count) {
    auto& entry = queues_[queue];
    entry.pushes += 1;
    for (const auto& ticket : entry.waiting) {
        if (count <= 0) return;
        if (ticket->woken) continue;
        ticket->woken = true;
        ticket->signal.notify_all();
        --count;
    }
}

bool Waiters::Queue::has_waited_since(int64_t since_ms) const {
    for (const auto& ticket : waiting)
        if (!ticket->woken && !ticket->interrupted && ticket->since_ms <= since_ms) return true;
    return false;
}

bool Waiters::has_waited_since(const std::string& queue, int64_t since_ms) const {
    auto found = queues_.find(queue);
    if (found != queues_.end()) return found->second.has_waited_since(since_ms);
    if (!queue.empty()) return false;
    for (const auto& [name, entry] : queues_)
        if (entry.has_waited_since(since_ms)) return true;
    return false;
}

void Waiters::notify_all() {
    ++everywhere_;
    for (auto& [name, entry] : queues_) {
        for (const auto& ticket : entry.waiting) {
            ticket->woken = true;
            ticket->signal.notify_all();
        }
    }
}

}  // namespace jobq
