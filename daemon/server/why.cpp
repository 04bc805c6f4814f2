#include "daemon/server/why.h"

#include <algorithm>
#include <map>

#include "core/base/time.h"

namespace jobq {
namespace {

std::string jobs(int64_t count) {
    return std::to_string(count) + (count == 1 ? " job" : " jobs");
}

std::string at(int64_t at_ms, int64_t now_ms) {
    int64_t left_ms = std::max<int64_t>(0, at_ms - now_ms);
    if (left_ms > 10'000) left_ms -= left_ms % 1'000;
    return "at " + format_rfc3339(at_ms) + ", in " + format_duration(left_ms);
}

std::string holders_of(const PlaceInLine& place) {
    constexpr size_t kNamed = 3;
    std::string text;
    for (size_t i = 0; i < std::min(kNamed, place.holders.size()); ++i) {
        const auto& [jid, worker] = place.holders[i];
        text += (i > 0 ? ", " : "") + jid + (worker.empty() ? "" : " at " + worker);
    }
    const int64_t more = place.in_use - int64_t(std::min(kNamed, place.holders.size()));
    if (more > 0) text += " and " + std::to_string(more) + " more";
    return text;
}

// A worker that holds as many of the queue as it may, as far as the holders are named; "": none.
std::string full_worker(const PlaceInLine& place, int most) {
    std::map<std::string, int> held;
    for (const auto& [jid, worker] : place.holders)
        if (++held[worker] == most) return worker;
    return {};
}

Why why_ready(const JobView& view, const WhyFacts& facts) {
    const std::string& queue = view.job.queue;
    if (facts.paused)
        return {WhyCode::queue_paused,
                "its queue is paused; resume it with jobq queue resume " + queue};
    if (!facts.stopped.empty())
        return {WhyCode::storage_full, "no job is started: " + facts.stopped};
    const int most = facts.limit.in_all;
    if (facts.place && most > 0 && facts.place->in_use >= most)
        return {WhyCode::queue_limit, "queue " + queue + " runs " + jobs(facts.place->in_use) +
                                          " at once, its limit: " + holders_of(*facts.place)};
    if (!facts.no_handler.empty()) return {WhyCode::no_worker, facts.no_handler};
    if (facts.place && facts.limit.per_worker > 0 && !facts.awaited)
        if (const auto worker = full_worker(*facts.place, facts.limit.per_worker); !worker.empty())
            return {WhyCode::worker_limit, "worker " + worker + " runs " +
                                               jobs(facts.limit.per_worker) + " of queue " + queue +
                                               " at once, its limit: " + holders_of(*facts.place)};
    // One that waits for it passes over what it can't run.
    if (facts.awaited)
        return {WhyCode::next, "a worker of queue " + queue + " is about to take it"};
    if (!facts.place)
        return {WhyCode::no_slot, "it waits in queue " + queue + " for a free slot of a worker"};
    if (facts.place->ahead < 0)
        return {WhyCode::behind, "more than 10,000 jobs of queue " + queue + " come first"};
    if (facts.place->ahead > 0)
        return {WhyCode::behind, (facts.place->exact ? "" : "up to ") + jobs(facts.place->ahead) +
                                     " of queue " + queue +
                                     (facts.place->ahead == 1 ? " comes first" : " come first")};
    return {WhyCode::no_slot,
            "it is the first in queue " + queue + " and waits for a free slot of a worker"};
}

}  // namespace

Why why_of(const JobView& view, const WhyFacts& facts) {
    const std::string& jid = view.job.jid;
    if (view.corrupt)
        return {WhyCode::damaged, "its record in Redis is damaged, so it is not run; use jobq rm " +
                                      jid + ", then enqueue it again"};
    switch (view.state) {
        case State::scheduled:
            return {WhyCode::delayed, "it runs " + at(view.at_ms, facts.now_ms)};
        case State::retrying:
            return {WhyCode::retrying, "it failed and runs again " + at(view.at_ms, facts.now_ms)};
        case State::dead:
            return {WhyCode::dead, "it is dead (" + view.record.reason +
                                       "); retry it with jobq retry-dead " + jid};
        case State::running:
            if (!facts.holder.empty()) return {WhyCode::worker_gone, facts.holder};
            if (view.cancel_asked)
                return {WhyCode::cancel_requested, "it runs, and its worker was told to stop it"};
            return {WhyCode::running, ""};
        case State::ready:
            return why_ready(view, facts);
        default:
            return {WhyCode::finished, ""};
    }
}

}  // namespace jobq
