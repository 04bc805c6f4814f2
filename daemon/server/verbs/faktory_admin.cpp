// Faktory's verbs for operators: INFO FLUSH QUEUE MUTATE END. As in the Faktory Work
// Protocol 2, section 4; MUTATE's filters look at the canonical compact payload.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/version.h"
#include "core/json/writer.h"
#include "core/protocol/job_wire.h"
#include "daemon/observe/log.h"
#include "daemon/observe/process_figures.h"
#include "daemon/server/verbs/handlers.h"

namespace jobq::verbs {
namespace {

void add_task(JsonWriter& json, std::string_view name, int64_t size) {
    json.key(name).begin_object();
    json.field("cycles", 0).field("enqueued", 0).field("size", size).field("wall_time_sec", 0);
    json.end_object();
}

// What a MUTATE is about.
struct Selection {
    std::vector<std::string> jids;
    std::string pattern, type;
    int64_t now_ms = 0;

    bool all() const { return jids.empty() && pattern.empty() && type.empty(); }

    bool matches(const JobView& view) const {
        if (!type.empty() && view.job.type != type) return false;
        return pattern.empty() ||
               glob_match(pattern, faktory_payload(view.job, view.record, now_ms));
    }
};

Result<Selection> parse_selection(const JsonFields& request) {
    Selection selection;
    const JsonField* field = request.find("filter");
    if (!field) return selection;
    auto filter = JsonFields::parse(field->raw, true);
    if (!filter) return tl::unexpected<Error>(filter.error());
    auto jids = filter->strings("jids");
    auto pattern = filter->string("regexp");
    auto type = filter->string("jobtype");
    if (!jids) return tl::unexpected<Error>(jids.error());
    if (!pattern) return tl::unexpected<Error>(pattern.error());
    if (!type) return tl::unexpected<Error>(type.error());
    selection.jids = jids->value_or(std::vector<std::string>());
    selection.pattern = pattern->value_or("");
    selection.type = type->value_or("");
    if (selection.pattern.size() > limits::kGlobBytes)
        return fail(ErrorCode::too_large,
                    "a regexp of " + std::to_string(selection.pattern.size()) +
                        " bytes exceeds the limit of " + std::to_string(limits::kGlobBytes) +
                        "; shorten it, or name the jobs by jids");
    return selection;
}

// What is done to a set, and what was left as it is.
struct Mutation {
    std::string command;
    State set;
    Caller from;
    int64_t refused = 0;
    std::string why{};
};

task<Result<>> apply(Broker& broker, Mutation* mutation, std::vector<std::string> jids) {
    if (jids.empty()) co_return Result<>{};
    Result<std::vector<Result<>>> done;
    if (mutation->command == "kill") {
        done = co_await broker.control().kill(std::move(jids));
    } else if (mutation->command == "requeue") {
        done = co_await broker.control().requeue(std::move(jids), false, mutation->from);
    } else {
        done = co_await broker.control().remove(std::move(jids));
    }
    if (!done) co_return tl::unexpected<Error>(done.error());
    for (const auto& one : *done) {
        if (one || one.error().code != ErrorCode::forbidden) continue;
        ++mutation->refused;
        mutation->why = one.error().text;
    }
    co_return Result<>{};
}

// Those of the named jobs that are in the set, each once. In slices: when one fails, those before
// it are done, and the same call again does the rest.
task<Result<>> mutate_named(Broker& broker, Mutation* mutation, std::vector<std::string> jids) {
    std::sort(jids.begin(), jids.end());
    jids.erase(std::unique(jids.begin(), jids.end()), jids.end());
    for (size_t from = 0; from < jids.size(); from += limits::kScriptJobs) {
        const size_t to = std::min(jids.size(), from + limits::kScriptJobs);
        std::vector<std::string> some(jids.begin() + int64_t(from), jids.begin() + int64_t(to));
        auto views = co_await broker.store().get(std::move(some));
        if (!views) co_return tl::unexpected<Error>(views.error());
        std::vector<std::string> hits;
        for (const auto& view : *views)
            if (view && view->state == mutation->set) hits.push_back(view->job.jid);
        auto done = co_await apply(broker, mutation, std::move(hits));
        if (!done) co_return done;
    }
    co_return Result<>{};
}

// In slices, so that a set of a million does not hold the loop or the store up.
task<Result<>> mutate_set(Broker& broker, Mutation* mutation, Selection selection) {
    if (!selection.jids.empty()) {
        auto done = co_await mutate_named(broker, mutation, std::move(selection.jids));
        co_return done;
    }
    ListRequest request;
    request.state = mutation->set;
    request.limit = limits::kListPageMax;
    while (true) {
        auto page = co_await broker.store().list(request);
        if (!page) co_return tl::unexpected<Error>(page.error());
        std::vector<std::string> hits;
        for (const auto& view : page->jobs)
            if (selection.matches(view)) hits.push_back(view.job.jid);
        auto done = co_await apply(broker, mutation, std::move(hits));
        if (!done) co_return done;
        if (page->next.empty()) co_return Result<>{};
        request.cursor = page->next;
    }
}

// Those of the asked that are known, by name and each once; without any all that are known.
task<Result<std::vector<std::string>>> known_queues(Broker& broker,
                                                    std::vector<std::string> asked) {
    Result<std::vector<QueueInfo>> known;
    if (asked.empty()) {
        known = co_await broker.store().queues(false);
    } else {
        QueueRequest request;
        request.names = std::move(asked);
        auto page = co_await broker.store().queue_page(std::move(request));
        if (!page) co_return tl::unexpected<Error>(page.error());
        known = std::move(page->queues);
    }
    if (!known) co_return tl::unexpected<Error>(known.error());
    std::set<std::string> names;
    for (const auto& queue : *known)
        names.insert(queue.name);
    co_return std::vector<std::string>(names.begin(), names.end());
}

task<Result<>> queue_action(Broker& broker, std::string action, std::vector<std::string> names) {
    const bool all = !names.empty() && names[0] == "*";
    if (all) names.clear();
    auto known = co_await known_queues(broker, std::move(names));
    if (!known) co_return tl::unexpected<Error>(known.error());
    names = std::move(*known);
    if (names.empty()) co_return Result<>{};
    if (action != "REMOVE") {
        bool paused = action == "PAUSE";
        auto done = co_await broker.control().pause(std::move(names), paused);
        co_return done;
    }
    for (const auto& name : names) {
        std::string queue = name;
        auto removed = co_await broker.control().clear(std::move(queue), true);
        if (!removed && removed.error().code != ErrorCode::not_found)
            co_return tl::unexpected<Error>(removed.error());
    }
    co_return Result<>{};
}

// Seconds since the next job of each became ready, as Faktory writes them: sorted, each name once.
std::string latencies(const std::vector<std::string>& names, const std::vector<QueueInfo>& known,
                      int64_t now_ms) {
    std::map<std::string, int64_t> ages;
    for (const auto& name : names)
        ages.emplace(to_utf8(name), 0);
    for (const auto& info : known) {
        auto asked = ages.find(info.name);
        if (asked != ages.end()) asked->second = info.age_ms(now_ms);
    }
    JsonWriter json;
    json.begin_object();
    for (const auto& [name, age_ms] : ages) {
        std::string seconds = std::to_string(age_ms / 1000);
        std::string fraction = std::to_string(1000 + age_ms % 1000).substr(1);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        if (!fraction.empty()) seconds += '.' + fraction;
        json.key(name).raw(seconds);
    }
    json.end_object();
    return json.take();
}

// A look at all queues, a page at a time, so that others have their turns between.
task<Result<InfoFigures>> look_at_queues(Broker& broker) {
    InfoFigures figures;
    auto stats = co_await broker.store().stats();
    if (!stats) co_return tl::unexpected<Error>(stats.error());
    figures.stats = *stats;
    JsonWriter json;
    json.begin_object();
    QueueRequest request;
    bool more = true;
    while (more) {
        auto page = co_await broker.store().queue_page(request);
        if (!page) co_return tl::unexpected<Error>(page.error());
        for (const auto& queue : page->queues) {
            json.field(queue.name, queue.size);
            figures.enqueued += queue.size;
        }
        figures.count += int64_t(page->queues.size());
        request.after = page->next;
        more = !page->next.empty();
    }
    if (figures.enqueued > 0) broker.wakeups().stir();
    figures.queues = json.end_object().take();
    co_return figures;
}

// With many queues one look serves for a second, and for longer the more there are, so that a
// client that asks again and again leaves Redis nearly all of its time.
int64_t serves_ms(const InfoFigures& figures) {
    if (figures.count <= limits::kInfoFreshQueues) return 0;
    return limits::kInfoAgeMs + figures.count * limits::kInfoAgeQueueMs;
}

}  // namespace

task<void> info_verb(Session& session, std::string) {
    ServerContext& context = session.context();
    std::function<task<Result<InfoFigures>>()> look =
        std::bind(look_at_queues, std::ref(context.broker));
    auto looked = co_await context.info.get(look, serves_ms);
    if (!looked) {
        session.reply_error(looked.error());
        co_return;
    }
    const InfoFigures& figures = **looked;
    int64_t now = context.reactor.wall_ms();
    std::string stamp = format_rfc3339(now);
    JsonWriter json;
    json.begin_object().field("now", stamp);
    json.field("server_utc_time", stamp.substr(11, 8) + " UTC");
    json.key("faktory").begin_object().key("queues").raw(figures.queues);
    json.key("sets").begin_object();
    json.field("dead", figures.stats.dead).field("retries", figures.stats.retrying);
    json.field("scheduled", figures.stats.scheduled)
        .field("working", figures.stats.running)
        .end_object();
    json.key("tasks").begin_object();
    json.key("Busy")
        .begin_object()
        .field("reaped", 0)
        .field("size", figures.stats.running)
        .end_object();
    add_task(json, "Dead", figures.stats.dead);
    add_task(json, "Retries", figures.stats.retrying);
    add_task(json, "Scheduled", figures.stats.scheduled);
    int64_t workers = 0;
    for (const auto& worker : session.broker().workers().all())
        workers += worker->kind == WorkerKind::faktory ? !worker->is_gone()
                                                       : worker->kind == WorkerKind::remote;
    json.key("Workers").begin_object().field("reaped", 0).field("size", workers).end_object();
    json.end_object();
    json.field("total_failures", figures.stats.failed_attempts)
        .field("total_processed", figures.stats.processed);
    json.field("total_enqueued", figures.enqueued).field("total_queues", figures.count);
    json.end_object().key("server").begin_object();
    json.field("description", "Faktory Enterprise (jobqd)").field("faktory_version", "1.10.0");
    json.field("uptime", (context.reactor.now_ms() - context.status.started_ms) / 1000);
    json.field("connections", context.counters.connections)
        .field("command_count", context.counters.commands);
    json.field("used_memory_mb", resident_bytes() >> 20).field("jobqd_version", version());
    json.end_object().end_object();
    session.reply_bulk(json.take());
}

task<void> flush(Session& session, std::string) {
    if (!session.context().config().allow_flush) {
        Error error{ErrorCode::forbidden, "FLUSH is disabled"};
        session.reply_error(error);
        co_return;
    }
    auto done = co_await session.broker().control().flush();
    session.context().info.forget();
    if (done) {
        session.reply_ok();
    } else {
        session.reply_error(done.error());
    }
}

task<void> queue(Session& session, std::string argument) {
    std::vector<std::string> words;
    for (auto word : split(argument, ' '))
        if (!word.empty()) words.emplace_back(word);
    std::string action = words.empty() ? "" : words[0];
    for (char& c : action)
        c = c >= 'a' && c <= 'z' ? char(c - 32) : c;
    std::vector<std::string> names(words.begin() + int64_t(!words.empty()), words.end());
    Broker& broker = session.broker();
    if (action == "PAUSE" || action == "RESUME" || action == "REMOVE") {
        Error none{ErrorCode::invalid, "internal error"};
        if (names.empty()) {
            session.reply_error(none);
            co_return;
        }
        auto done = co_await queue_action(broker, action, std::move(names));
        if (done) {
            session.reply_ok();
        } else {
            session.reply_error(done.error());
        }
    } else if (action == "LATENCY") {
        if (names.size() == 1 && names[0] == "*") {
            Error error{ErrorCode::invalid, "QUEUE LATENCY does not support wildcards"};
            session.reply_error(error);
            co_return;
        }
        QueueRequest request;
        request.names = names;
        request.latency = true;
        QueuePage found;
        if (!names.empty()) {
            auto page = co_await broker.store().queue_page(std::move(request));
            if (!page) {
                session.reply_error(page.error());
                co_return;
            }
            found = std::move(*page);
        }
        session.reply_bulk(latencies(names, found.queues, session.context().reactor.wall_ms()));
    } else {
        Error error{ErrorCode::invalid, "no such QUEUE subcommand: " + printable(action)};
        session.reply_error(error);
    }
}

task<void> mutate(Session& session, std::string argument) {
    auto request = JsonFields::parse(argument, true);
    if (!request) {
        session.reply_error(request.error());
        co_return;
    }
    auto command = request->string("cmd");
    auto target = request->string("target");
    auto selection = parse_selection(*request);
    if (!selection && selection.error().code == ErrorCode::too_large) {
        session.reply_error(selection.error());
        co_return;
    }
    if (!command || !target || !selection) {
        Error error{ErrorCode::bad_data, "cmd, target and filter are of the wrong type"};
        session.reply_error(error);
        co_return;
    }
    std::string set = target->value_or(""), cmd = command->value_or("");
    static constexpr std::string_view kCommands[] = {"clear", "kill", "discard", "requeue"};
    if (std::find(std::begin(kCommands), std::end(kCommands), cmd) == std::end(kCommands)) {
        Error error{ErrorCode::invalid, "unknown mutate operation"};
        session.reply_error(error);
        co_return;
    }
    if (set != "retries" && set != "scheduled" && set != "dead") {
        Error error{ErrorCode::invalid, "invalid target for mutation command"};
        session.reply_error(error);
        co_return;
    }
    State state = set == "dead"      ? State::dead
                  : set == "retries" ? State::retrying
                                     : State::scheduled;
    if (cmd == "clear") *selection = Selection{};
    selection->now_ms = session.context().reactor.wall_ms();
    Mutation mutation{cmd, state, session.caller()};
    auto done = co_await mutate_set(session.broker(), &mutation, std::move(*selection));
    if (done && mutation.refused > 0)
        done = fail(ErrorCode::forbidden,
                    std::to_string(mutation.refused) + " left unchanged: " + mutation.why);
    if (done) {
        session.reply_ok();
    } else {
        session.reply_error(done.error());
    }
}

task<void> end(Session& session, std::string) {
    session.end();
    co_return;
}

}  // namespace jobq::verbs
