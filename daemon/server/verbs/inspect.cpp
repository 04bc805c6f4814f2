// JOBQ verbs that look: STATUS WAIT LIST.
#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/job/codec.h"
#include "daemon/server/job_view.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/job_filter.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr int64_t kLookAgainMs = 5'000;  // should a change have been missed
constexpr size_t kPlacesAtOnce = 20;
constexpr int64_t kLookAtOthersMs = 800;  // and one of another daemon

bool is_over(const Result<JobView>& view) {
    return !view || is_final(view->state) || view->state == State::dead;
}

std::string not_found_json(const std::string& jid) {
    JsonWriter json;
    json.begin_object().field("jid", jid).field("error", "NOT_FOUND").end_object();
    return json.take();
}

// How long until the store is asked without word of a change. Of another daemon's jobs word comes
// as a hint, which may be lost.
int64_t slow_look_ms(const Broker& broker) {
    return broker.config().redis.url.empty() ? kLookAgainMs : kLookAtOthersMs;
}

// What changed of `open`; when nothing did, some of it, in turn.
std::vector<std::string> to_look_at(const std::set<std::string>& changed,
                                    const std::set<std::string>& open, std::string* from) {
    std::vector<std::string> look;
    for (const auto& jid : changed)
        if (open.count(jid)) look.push_back(jid);
    if (!changed.empty()) return look;
    auto next = open.upper_bound(*from);
    while (look.size() < std::min(open.size(), limits::kScriptJobs)) {
        if (next == open.end()) next = open.begin();
        look.push_back(*next++);
    }
    *from = look.empty() ? "" : look.back();
    return look;
}

// Sends those that are over, and takes them out of `open`.
task<void> tell_ended(Broker& broker, Messages* to, std::vector<std::string> jids,
                      std::set<std::string>* open) {
    auto views = co_await broker.store().get(jids);
    for (size_t i = 0; views && i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        if (!is_over(view) || open->erase(jids[i]) == 0) continue;
        if (view) {
            JsonWriter json;
            write_job(json, *view, broker, why_facts(*view, broker));
            to->send(json.take());
        } else {
            to->send(not_found_json(jids[i]));
        }
    }
}

// Of the queues in which these wait. None when they can't be told.
task<std::set<std::string>> paused_queues(Broker& broker, std::set<std::string> waited_in) {
    std::set<std::string> paused;
    if (waited_in.empty()) co_return paused;
    QueueRequest request;
    request.names.assign(waited_in.begin(), waited_in.end());
    auto page = co_await broker.store().queue_page(std::move(request));
    if (!page) co_return paused;
    for (const auto& queue : page->queues)
        if (queue.paused) paused.insert(queue.name);
    co_return paused;
}

// With the places in line of the first few: a call for each, so that none is long for others.
task<std::vector<WhyFacts>> facts_of(Broker& broker, const std::vector<Result<JobView>>* of) {
    const auto& views = *of;
    std::set<std::string> waited_in;
    for (const auto& view : views)
        if (view && view->state == State::ready) waited_in.insert(view->job.queue);
    const auto paused = co_await paused_queues(broker, std::move(waited_in));
    std::vector<WhyFacts> facts(views.size());
    size_t placed = 0;
    for (size_t i = 0; i < views.size(); ++i) {
        if (!views[i]) continue;
        const JobView& view = *views[i];
        if (view.state == State::ready && placed < kPlacesAtOnce) {
            ++placed;
            std::string jid = view.job.jid, queue = view.job.queue;
            auto place = co_await broker.store().place_in_line(std::move(jid), std::move(queue),
                                                               view.job.priority);
            if (place) facts[i].place = std::move(*place);
        }
        auto known = why_facts(view, broker, paused.count(view.job.queue) > 0);
        known.place = std::move(facts[i].place);
        facts[i] = std::move(known);
    }
    co_return facts;
}

}  // namespace

task<Answer> status(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    const auto detail = request.flag("payload") ? JobDetail::payload : JobDetail::plain;
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto views = co_await context.broker.store().get(jids);
    if (!views) {
        co_return tl::unexpected<Error>(views.error());
    }
    auto facts = co_await facts_of(context.broker, &*views);
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        if ((*views)[i]) {
            const JobView& view = *(*views)[i];
            write_job(json, view, context.broker, facts[i], detail);
        } else {
            json.raw(not_found_json(jids[i]));
        }
    }
    json.end_array().end_object();
    co_return json.take();
}

task<Result<>> wait(ServerContext& context, std::string argument, Messages* to) {
    Request request(argument);
    auto jids = request.some_texts("jids");
    bool limited = request.has("timeout_ms");
    int64_t limit = std::max<int64_t>(0, request.number("timeout_ms"));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    Broker& broker = context.broker;
    const int64_t deadline = later_ms(broker.reactor().now_ms(), limit);
    bool timed_out = false;
    JobWatch watch(broker.watchers(), jids);
    std::set<std::string> open(jids.begin(), jids.end());
    std::vector<std::string> look = std::move(jids);
    std::string from;  // where the slow look goes on
    while (!open.empty() && !to->closed()) {
        if (!look.empty()) co_await tell_ended(broker, to, std::move(look), &open);
        if (open.empty()) break;
        const int64_t left = deadline - broker.reactor().now_ms();
        if (limited && left <= 0) {
            timed_out = true;
            break;
        }
        const int64_t slow = slow_look_ms(broker);
        const int64_t step = limited ? std::min(left, slow) : slow;
        co_await watch.wait(step);
        look = to_look_at(watch.take_changed(), open, &from);
    }
    JsonWriter last;
    last.begin_object().field("end", true).field("timed_out", timed_out).end_object();
    to->send(last.take());
    co_return Result<>{};
}

task<Answer> list(ServerContext& context, std::string argument) {
    Request request(argument);
    ScanRequest scan;
    scan.state = request.state("state", "ready");
    scan.filter = JobFilter::from(request);
    scan.cursor = request.text("cursor");
    scan.newest_first = request.flag("newest");
    scan.limit = int(
        std::clamp<int64_t>(request.number("limit", limits::kListPage), 1, limits::kListPageMax));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto page = co_await scan_jobs(context.broker, std::move(scan));
    if (!page) {
        co_return tl::unexpected<Error>(page.error());
    }
    std::set<std::string> waited_in;
    for (const auto& view : page->jobs)
        if (view.state == State::ready) waited_in.insert(view.job.queue);
    const auto paused = co_await paused_queues(context.broker, std::move(waited_in));
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (const auto& view : page->jobs)
        write_job(json, view, context.broker,
                  why_facts(view, context.broker, paused.count(view.job.queue) > 0),
                  JobDetail::row);
    json.end_array().field("looked_at", page->looked_at).field("next", page->next).end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
