// MemoryStore: looking, and operations on whole queues. See memory_store.h.
#include <algorithm>

#include "core/base/text.h"
#include "tests/support/memory_store.h"

namespace jobq::test {

JobView MemoryStore::view_of(const Live& live) const {
    JobView view;
    view.state = live.state;
    view.job = live.job;
    view.record = live.record;
    view.at_ms = live.at_ms;
    view.owner = live.owner;
    view.token = live.token;
    view.started_ms = live.started_ms;
    view.cancel_asked = live.cancel_asked;
    view.args_bytes = int64_t(live.job.args.size());
    return view;
}

Result<JobView> MemoryStore::look(const std::string& jid) const {
    if (const Live* live = find(jid)) return view_of(*live);
    auto kept = finals_.find(jid);
    if (kept == finals_.end()) return fail(ErrorCode::not_found, "job " + jid + " does not exist");
    JobView view;
    view.final = kept->second.record;
    view.state = view.final.state;
    view.job.jid = jid;
    view.job.type = view.final.type;
    view.job.queue = view.final.queue;
    view.job.created_ms = view.final.created_ms;
    view.job.tags = view.final.tags;
    view.record.attempts = view.final.attempts;
    return view;
}

task<Result<std::vector<Result<JobView>>>> MemoryStore::get(std::vector<std::string> jids) {
    std::vector<Result<JobView>> views;
    for (const auto& jid : jids)
        views.push_back(look(jid));
    co_return views;
}

// What changes of a record when its job has run, or was made ready by hand.
std::string MemoryStore::state_of(const std::string& jid) const {
    const Live* live = find(jid);
    if (!live) return "-";
    const JobRecord& record = live->record;
    return std::to_string(record.attempts) + "/" + std::to_string(record.errors.size()) + "/" +
           std::to_string(record.ready_ms);
}

// Jobs of a queue, next one first, behind "<list> <state> <jid>": where that job is by now; from
// the list's front when it was taken since.
std::vector<MemoryStore::Listed> MemoryStore::list_queue(const std::string& name,
                                                         const std::string& cursor) const {
    std::vector<Listed> listed;
    auto queue = queues_.find(name);
    if (queue == queues_.end()) return listed;
    const size_t space = cursor.find(' ', 2);
    bool reached = cursor.empty();
    for (const auto& [list, places] : queue->second.lists) {
        const bool here = !cursor.empty() && list == cursor[0];
        reached = reached || here;
        if (!reached) continue;
        auto from = places.begin();
        if (here) {
            const std::string state = cursor.substr(2, space - 2), jid = cursor.substr(space + 1);
            auto last = std::find_if(from, places.end(),
                                     [&](const Place& place) { return place.jid == jid; });
            if (last != places.end() && (last->ghost || state_of(jid) == state)) from = last + 1;
        }
        for (; from != places.end(); ++from)
            if (!from->ghost)
                listed.push_back({from->jid, std::string(1, list) + " " + state_of(from->jid) +
                                                 " " + from->jid});
    }
    return listed;
}

// Behind "<cut> <time> <header> <jid>", in that order or against it. The cut is the last change
// when the walk began.
std::vector<MemoryStore::Listed> MemoryStore::list_set(State state, const std::string& cursor,
                                                       bool newest_first) const {
    const size_t space = cursor.find(' ');
    const std::string cut = cursor.empty() ? std::to_string(changes_) : cursor.substr(0, space);
    const std::string last = cursor.empty() ? "" : cursor.substr(space + 1);
    std::vector<Listed> listed;
    for (const Live* live : by_time(state)) {
        std::string at = std::to_string(live->at_ms);
        at.insert(0, 20 - at.size(), '0');
        at += " " + rank(live->job);
        const bool behind = last.empty() || (newest_first ? at < last : at > last);
        if (behind && live->change <= parse_int(cut).value_or(0))
            listed.push_back({live->job.jid, cut + " " + at});
    }
    if (newest_first) std::reverse(listed.begin(), listed.end());
    return listed;
}

task<Result<ListPage>> MemoryStore::list(ListRequest request) {
    std::vector<Listed> listed;
    if (is_final(request.state)) {
        for (const auto& [jid, kept] : finals_)
            if (kept.record.state == request.state && !find(jid) && jid > request.cursor)
                listed.push_back({jid, jid});
    } else if (request.state == State::ready) {
        listed = list_queue(request.queue, request.cursor);
    } else {
        listed = list_set(request.state, request.cursor, request.newest_first);
    }
    std::vector<std::string> jids;
    for (const auto& one : listed)
        jids.push_back(one.jid);
    auto views = co_await get(jids);
    ListPage page;
    size_t at = 0;
    for (; at < views->size() && int(page.jobs.size()) < request.limit; ++at) {
        JobView& view = *(*views)[at];
        ++page.looked_at;
        page.next = listed[at].after;
        if (!request.queue.empty() && view.job.queue != request.queue) continue;
        if ((view.job.args + view.job.tags + view.final.result).find(request.text) ==
            std::string::npos)
            continue;
        view.after = listed[at].after;
        if (const Live* live = find(view.job.jid)) view.group = live->group;
        if (request.heads) view.job.args.resize(std::min<size_t>(view.job.args.size(), 200));
        page.jobs.push_back(view);
    }
    if (at == views->size()) page.next.clear();
    co_return page;
}

task<Result<std::vector<AttemptLog>>> MemoryStore::logs(std::string jid) {
    std::vector<std::string> one{jid};
    auto views = co_await get(one);
    if (!views->front()) co_return tl::unexpected<Error>(views->front().error());
    const JobRecord& record = views->front()->record;
    int last = record.attempts;
    for (const auto& error : record.errors)
        last = std::max(last, error.number);
    std::vector<AttemptLog> found;
    for (const auto& [attempt, log] : logs_[jid])
        if (attempt <= last) found.push_back({attempt, log.text});
    co_return found;
}

task<Result<PlaceInLine>> MemoryStore::place_in_line(std::string jid, std::string queue, int) {
    PlaceInLine place;
    for (const auto& [other, live] : live_)
        if (live.slot_queue == queue) {
            ++place.in_use;
            if (place.holders.size() < 10) place.holders.emplace_back(other, live.slot_worker);
        }
    int64_t ahead = 0;
    for (const auto& [priority, list] : queues_[queue].lists)
        for (const auto& one : list) {
            if (one.ghost) place.exact = false;
            if (!one.ghost && one.jid == jid && place.ahead < 0) place.ahead = ahead;
            if (!one.ghost) ++ahead;
        }
    co_return place;
}

task<Result<StoreStats>> MemoryStore::stats() {
    StoreStats stats = counters_;
    for (const auto& [jid, live] : live_)
        switch (live.state) {
            case State::scheduled:
                ++stats.scheduled;
                break;
            case State::retrying:
                ++stats.retrying;
                break;
            case State::dead:
                ++stats.dead;
                break;
            case State::ready:
                ++stats.ready;
                break;
            case State::running:
                ++stats.running;
                break;
            default:
                break;
        }
    co_return stats;
}

QueueInfo MemoryStore::info_of(const std::string& name, bool latency) {
    Queue& queue = queues_.at(name);
    QueueInfo info;
    info.name = name;
    info.paused = queue.paused;
    for (const auto& [priority, list] : queue.lists)
        for (const auto& place : list) {
            if (place.ghost) continue;
            if (++info.size > 1 || !latency) continue;
            const Live& live = live_.at(place.jid);
            info.next_type = live.job.type;
            int64_t planned = live.record.next_at_ms;
            info.oldest_ms = live.record.ready_ms > 0
                                 ? std::max(live.record.ready_ms, planned)
                                 : std::max({live.job.created_ms, live.job.run_at_ms, planned});
        }
    return info;
}

task<Result<QueuePage>> MemoryStore::queue_page(QueueRequest request) {
    QueuePage page;
    page.known = int64_t(queues_.size());
    for (const auto& name : request.names)
        if (queues_.count(name)) page.queues.push_back(info_of(name, request.latency));
    if (!request.names.empty()) co_return page;
    for (auto at = queues_.upper_bound(request.after); at != queues_.end(); ++at) {
        if (int(page.queues.size()) == request.limit) {
            page.next = page.queues.back().name;
            break;
        }
        page.queues.push_back(info_of(at->first, request.latency));
    }
    co_return page;
}

task<Result<>> MemoryStore::pause(std::vector<std::string> queues, bool paused) {
    for (const auto& name : queues)
        if (paused || queues_.count(name)) queues_[name].paused = paused;
    co_return Result<>{};
}

task<Result<int64_t>> MemoryStore::clear(std::string queue, bool forget) {
    auto found = queues_.find(queue);
    if (found == queues_.end())
        co_return fail(ErrorCode::not_found, "queue " + queue + " does not exist");
    std::vector<std::string> removed;
    for (auto& [name, list] : found->second.lists) {
        for (const auto& place : list)
            if (!place.ghost) removed.push_back(place.jid);
        list.clear();
    }
    counters_.removed += int64_t(removed.size());
    if (forget) queues_.erase(found);
    for (const auto& jid : removed) {
        settle(jid, Event::gone);
        live_.erase(jid);
    }
    co_return int64_t(removed.size());
}

task<Result<>> MemoryStore::flush() {
    live_.clear();
    queues_.clear();
    owners_.clear();
    finals_.clear();
    logs_.clear();
    keys_.clear();
    locks_.clear();
    batches_.clear();
    progress_.clear();
    imported_.clear();
    counters_ = {};
    groups_.clear();
    co_return Result<>{};
}

}  // namespace jobq::test
