#include "daemon/broker/waiters.h"

#include <algorithm>

#include "core/base/failpoint.h"

namespace jobq {

uint64_t Waiters::Queue::pushes_of(const Types& types) const {
    if (!types) return pushes;
    uint64_t sum = unknown;
    for (size_t i = 0; i < by_mark.size(); ++i)
        if (types->marks() >> i & 1) sum += by_mark[i];
    return sum;
}

uint64_t Waiters::pushes(const std::vector<std::string>& queues, const Types& types) const {
    uint64_t sum = everywhere_;
    for (const auto& name : queues) {
        auto found = queues_.find(name);
        if (found != queues_.end()) sum += found->second.pushes_of(types);
    }
    return sum;
}

task<void> Waiters::wait(std::vector<std::string> queues, Types types, uint64_t seen,
                         int64_t limit_ms, std::shared_ptr<Ticket> ticket) {
    if (ticket->interrupted || limit_ms <= 0 || pushes(queues, types) != seen) co_return;
    std::vector<std::pair<std::string, std::list<std::shared_ptr<Ticket>>::iterator>> places;
    for (const auto& name : queues) {
        auto& list = queues_[name].waiting;
        list.push_back(ticket);
        places.emplace_back(name, std::prev(list.end()));
    }
    ticket->woken = ticket->alarmed = false;
    ticket->since_ms = reactor_.now_ms();
    ticket->types = std::move(types);
    auto signal = ticket->signal.wait(limit_ms);
    co_await signal;
    for (auto& [name, place] : places) {
        auto entry = queues_.find(name);
        entry->second.waiting.erase(place);
        // A name nobody ever pushed to is forgotten: clients may ask for any.
        if (entry->second.waiting.empty() && entry->second.pushes == 0) queues_.erase(entry);
    }
}

void Waiters::wake(Ticket& ticket, const std::string& queue, std::string_view type) {
    ticket.woken = true;
    ticket.queue = queue;
    ticket.type = type;
    ticket.signal.notify_all();
}

int Waiters::wake_some(const Queue& entry, const std::string& queue, std::string_view type,
                       int count, bool alarmed) {
    std::vector<std::pair<const TypeSet*, int>> kinds;  // with a type that is not known
    int woken = 0;
    for (const auto& ticket : entry.waiting) {
        if (!type.empty() && woken >= count) break;
        if (ticket->woken || ticket->interrupted) continue;
        if (type.empty()) {
            auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& one) {
                return one.first == ticket->types.get();
            });
            if (kind == kinds.end()) kind = kinds.emplace(kinds.end(), ticket->types.get(), 0);
            if (kind->second >= count) continue;
            ++kind->second;
        } else if (!runs(ticket->types, type) && !JOBQ_FAILPOINT(woken_for_others)) {
            continue;
        }
        ticket->alarmed = alarmed;
        wake(*ticket, queue, type);
        ++woken;
    }
    return woken;
}

void Waiters::pass_on(const Ticket& ticket) {
    auto entry = queues_.find(ticket.queue);
    if (entry != queues_.end()) wake_some(entry->second, ticket.queue, ticket.type, 1, false);
}

void Waiters::notify(const std::string& queue, std::string_view type, int count) {
    auto& entry = queues_[queue];
    ++entry.pushes;
    if (type.empty()) {
        ++entry.unknown;
    } else {
        ++entry.by_mark[size_t(TypeSet::place_of(type))];
    }
    wake_some(entry, queue, type, count, false);
}

void Waiters::alarm(const std::string& queue, std::string_view type, int count) {
    auto entry = queues_.find(queue);
    if (entry != queues_.end()) wake_some(entry->second, queue, type, count, true);
}

bool Waiters::Queue::has_waited_since(std::string_view type, int64_t since_ms) const {
    for (const auto& ticket : waiting)
        if (!ticket->woken && !ticket->interrupted && ticket->since_ms <= since_ms &&
            (type.empty() || runs(ticket->types, type)))
            return true;
    return false;
}

bool Waiters::has_waited_since(const std::string& queue, std::string_view type,
                               int64_t since_ms) const {
    auto found = queues_.find(queue);
    if (found != queues_.end()) return found->second.has_waited_since(type, since_ms);
    if (!queue.empty()) return false;
    for (const auto& [name, entry] : queues_)
        if (entry.has_waited_since(type, since_ms)) return true;
    return false;
}

std::vector<std::string> Waiters::waited_for_since(int64_t since_ms) const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : queues_)
        if (entry.has_waited_since("", since_ms)) names.push_back(name);
    return names;
}

void Waiters::notify_all() {
    ++everywhere_;
    for (auto& [name, entry] : queues_)
        for (const auto& ticket : entry.waiting)
            wake(*ticket, "", "");
}

}  // namespace jobq
