// JOBQ verbs that look: STATUS WAIT RESULT LOGS LIST.
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

// Where the first few stand in line as well: that is a call for each.
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

task<Answer> result(ServerContext& context, std::string argument) {
    Request request(argument);
    auto jid = request.some_text("jid");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    std::vector<std::string> one{jid};
    auto views = co_await context.broker.store().get(std::move(one));
    if (!views || !views->front()) {
        co_return tl::unexpected<Error>(views ? views->front().error() : views.error());
    }
    const JobView& view = *views->front();
    if (view.state != State::succeeded) {
        Error error{ErrorCode::conflict,
                    "job " + jid + " is " + std::string(name(view.state)) + " and has no result"};
        co_return tl::unexpected<Error>(error);
    }
    JsonWriter json;
    json.begin_object().field("jid", jid).field("state", name(view.state));
    if (view.final.result_is_json) {
        json.key("result").raw(view.final.result);
    } else {
        json.field("text", view.final.result);
        if (!is_utf8(view.final.result)) json.field("binary", true);
    }
    json.end_object();
    co_return json.take();
}

namespace {

// What a follower of a job has: all of the attempts before `attempt`, and so many bytes of it.
struct Followed {
    int attempt = 0;
    int64_t err = 0, out = 0;

    // False when the attempt is one the follower has passed.
    bool reach(int number) {
        if (number > attempt) *this = {number, 0, 0};
        return number == attempt;
    }
};

void send_piece(Messages* to, int attempt, const char* stream, int64_t at, std::string_view text) {
    if (text.empty()) return;
    JsonWriter json;
    json.begin_object().field("attempt", attempt).field("stream", stream).field("at", at);
    json.field("text", text).end_object();
    to->send(json.take());
}

// The kept text of a stream from `sent` on.
void send_rest(Messages* to, int attempt, const char* stream, int64_t& sent,
               std::string_view text) {
    if (sent >= int64_t(text.size())) return;
    send_piece(to, attempt, stream, sent, text.substr(size_t(sent)));
    sent = int64_t(text.size());
}

void send_live(Messages* to, int attempt, const char* stream, int64_t& sent,
               const LiveOutput& live) {
    for (auto part = live.next(sent); !part.text.empty(); part = live.next(sent)) {
        send_piece(to, attempt, stream, part.at, part.text);
        sent = part.at + int64_t(part.text.size());
    }
}

// What the job's ended attempts left that the follower has not got; `only` 0: of all of them.
task<void> send_kept(Broker& broker, Messages* to, JobView view, int only, Followed* got,
                     bool with_stdout) {
    auto kept = co_await broker.store().logs(view.job.jid);
    int last = 0;
    if (kept)
        for (const auto& log : *kept) {
            last = log.attempt;
            if ((only != 0 && only != log.attempt) || !got->reach(log.attempt)) continue;
            Output output = decode_output(log.text);
            send_rest(to, log.attempt, "stderr", got->err, output.err);
            if (with_stdout) send_rest(to, log.attempt, "stdout", got->out, output.out);
        }
    const int number = std::max(last, view.final.attempts);
    if (with_stdout && (only == 0 || only == number) && got->reach(number))
        send_rest(to, number, "stdout", got->out, view.final.result);
}

// Null: it does not run here.
std::shared_ptr<LiveOutput> live_output(Broker& broker, const std::string& jid, bool is_stdout) {
    Running* known = broker.running().find(jid);
    return known ? known->live_output(broker.reactor(), is_stdout) : nullptr;
}

// What one attempt writes, until it ends.
task<void> follow(Broker& broker, Messages* to, std::string jid, Followed* got, bool with_stdout) {
    auto err = live_output(broker, jid, false);
    auto out = live_output(broker, jid, true);
    Running* known = broker.running().find(jid);
    if (!known || !err || !out) co_return;
    const int attempt = current_attempt(known->record);
    const std::string token = known->token();
    if (!got->reach(attempt)) co_return;
    while (!to->closed()) {
        send_live(to, attempt, "stderr", got->err, *err);
        if (with_stdout) send_live(to, attempt, "stdout", got->out, *out);
        known = broker.running().find(jid);
        if (!known || known->token() != token) break;
        co_await to->drained();
        // Both are told of every change of either: see OUTPUT.
        auto changed = err->changed.wait(kLookAgainMs);
        co_await changed;
    }
}

}  // namespace

task<Result<>> logs(ServerContext& context, std::string argument, Messages* to) {
    Request request(argument);
    auto jid = request.some_text("jid");
    bool following = request.flag("follow"), with_stdout = request.flag("stdout");
    int attempt = int(std::clamp<int64_t>(request.number("attempt"), 0, INT32_MAX));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    Broker& broker = context.broker;
    bool first = true;
    Followed got;
    while (!to->closed()) {
        std::vector<std::string> one{jid};
        auto views = co_await broker.store().get(std::move(one));
        if (!views || !views->front()) {
            co_return tl::unexpected<Error>(views ? views->front().error() : views.error());
        }
        JobView view = std::move(*views->front());
        bool over = is_final(view.state) || view.state == State::dead;
        if (first || over) co_await send_kept(broker, to, view, attempt, &got, with_stdout);
        if (view.state == State::running) {
            if (following) {
                co_await follow(broker, to, jid, &got, with_stdout);
            } else if (const int number = current_attempt(view.record); got.reach(number)) {
                auto err = live_output(broker, jid, false);
                auto out = live_output(broker, jid, true);
                if (err) send_live(to, number, "stderr", got.err, *err);
                if (out && with_stdout) send_live(to, number, "stdout", got.out, *out);
            }
        }
        first = false;
        if (over || !following) {
            JsonWriter json;
            json.begin_object().field("end", true).field("state", name(view.state));
            std::optional<int> code = view.final.exit_code, signal = view.final.signal;
            if (view.state == State::dead && !view.record.errors.empty()) {
                code = view.record.errors.back().exit_code;
                signal = view.record.errors.back().signal;
                json.field("outcome", name(view.record.errors.back().outcome));
            }
            if (code) json.field("exit_code", *code);
            if (signal) json.field("signal", *signal);
            json.end_object();
            to->send(json.take());
            co_return Result<>{};
        }
        if (view.state != State::running) co_await broker.watchers().wait_for(jid, 250);
    }
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
