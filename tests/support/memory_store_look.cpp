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
    if (kept == finals_.end()) return fail(ErrorCode::not_found, "no job " + jid);
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

task<Result<ListPage>> MemoryStore::list(ListRequest request) {
    std::vector<std::string> jids;
    if (is_final(request.state)) {
        for (const auto& [jid, kept] : finals_)
            if (kept.record.state == request.state && !find(jid)) jids.push_back(jid);
    } else if (request.state == State::ready) {
        auto queue = queues_.find(request.queue);
        if (queue != queues_.end())
            for (const auto& [priority, list] : queue->second.lists)
                for (const auto& place : list)
                    if (!place.ghost) jids.push_back(place.jid);
    } else {
        for (const Live* live : by_time(request.state))
            jids.push_back(live->job.jid);
        if (request.newest_first) std::reverse(jids.begin(), jids.end());
    }
    auto views = co_await get(jids);
    ListPage page;
    size_t at = size_t(parse_int(request.cursor).value_or(0));
    for (; at < views->size() && int(page.jobs.size()) < request.limit; ++at) {
        JobView& view = *(*views)[at];
        ++page.looked_at;
        if (!request.queue.empty() && view.job.queue != request.queue) continue;
        if ((view.job.args + view.job.tags + view.final.result).find(request.text) ==
            std::string::npos)
            continue;
        view.after = std::to_string(at + 1);
        if (request.heads) view.job.args.resize(std::min<size_t>(view.job.args.size(), 200));
        page.jobs.push_back(view);
    }
    if (at < views->size()) page.next = std::to_string(at);
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

task<Result<std::vector<QueueInfo>>> MemoryStore::queues(bool latency) {
    std::vector<QueueInfo> infos;
    for (auto& [name, queue] : queues_) {
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
        infos.push_back(info);
    }
    co_return infos;
}

task<Result<>> MemoryStore::pause(std::vector<std::string> queues, bool paused) {
    for (const auto& name : queues)
        if (paused || queues_.count(name)) queues_[name].paused = paused;
    co_return Result<>{};
}

task<Result<int64_t>> MemoryStore::clear(std::string queue, bool forget) {
    auto found = queues_.find(queue);
    if (found == queues_.end()) co_return fail(ErrorCode::not_found, "no queue " + queue);
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
    co_return Result<>{};
}

}  // namespace jobq::test
