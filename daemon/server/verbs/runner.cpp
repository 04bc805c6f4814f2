// JOBQ verbs of workers that opted in: POOLS TAKE DONE HEARTBEAT OUTPUT. Shapes in
// jobq-protocol(7).
#include <algorithm>
#include <set>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/protocol/json_writer.h"
#include "daemon/observe/log.h"
#include "daemon/server/assignment.h"
#include "daemon/server/verbs/handlers.h"
#include "daemon/server/verbs/request.h"
#include "daemon/work/thread_pool.h"

namespace jobq::verbs {
namespace {

// The worker of this session, or an error reply.
bool is_worker(Session& session) {
    if (session.opted_in() && session.worker()) return true;
    session.reply_error({ErrorCode::forbidden,
                         "only a worker that said HELLO with \"jobq\":1 and a wid may do this"});
    return false;
}

void write_taken(JsonWriter& json, const Leased& lease, Broker& broker, int64_t now_ms) {
    const Job& job = lease.job;
    const TypePolicy& policy = broker.policy_of(job.type);
    int64_t timeout = job.timeout_ms.value_or(policy.timeout_ms);
    json.begin_object().field("jid", job.jid).field("type", job.type).field("queue", job.queue);
    json.field("attempt", current_attempt(lease.record));
    int runs = job.max_attempts ? *job.max_attempts
               : job.retry      ? std::max(*job.retry + 1, 1)
                                : policy.max_attempts.value_or(limits::kDefaultRetries + 1);
    json.field("max_attempts", runs).field("token", lease.token).field("timeout_ms", timeout);
    json.field("deadline", format_rfc3339(later_ms(now_ms, timeout)));
    json.field("payload_text", handler_payload(job));
    const std::string trace = broker.traceparent_of(lease);
    if (!trace.empty()) json.field("traceparent", trace);
    json.end_object();
}

int64_t time_field(Request& request, std::string_view key) {
    std::string text = request.text(key);
    if (text.empty()) return 0;
    return parse_rfc3339_ms(text).value_or(0);
}

std::optional<int> small_field(Request& request, std::string_view key) {
    if (!request.has(key)) return std::nullopt;
    return int(std::clamp<int64_t>(request.number(key), INT32_MIN, INT32_MAX));
}

std::string bytes_field(Request& request, std::string_view key, std::string_view base64_key) {
    if (!request.has(base64_key)) return request.text(key);
    auto bytes = base64_decode(request.text(base64_key));
    if (!bytes) request.refuse("\"" + std::string(base64_key) + "\" is not base 64");
    return bytes.value_or("");
}

Ended read_ended(Request& request, const Worker& worker) {
    Ended ended;
    ended.jid = request.some_text("jid");
    ended.token = request.some_text("token");
    ended.owner = worker.owner;
    RunReport& report = ended.report;
    auto outcome = outcome_from_name(request.some_text("outcome"));
    if (!outcome) request.refuse("\"outcome\" is none of the known ones");
    report.outcome = outcome.value_or(Outcome::failure);
    report.error_type = request.text("error_type");
    report.message = request.text("message");
    report.backtrace = request.texts("backtrace");
    report.exit_code = small_field(request, "exit_code");
    report.signal = small_field(request, "signal");
    if (request.has("snooze_ms")) report.snooze_ms = request.number("snooze_ms");
    report.started_ms = time_field(request, "started_at");
    report.ended_ms = time_field(request, "ended_at");
    report.result = bytes_field(request, "result", "result_b64");
    report.result_is_json = request.flag("result_json") && check_json(report.result).has_value();
    report.log = bytes_field(request, "log", "log_b64");
    report.user_cpu_ms = request.number("user_cpu_ms");
    report.system_cpu_ms = request.number("system_cpu_ms");
    report.max_rss_kib = request.number("max_rss_kib");
    report.worker = request.text("worker", worker.wid);
    return ended;
}

// Followers of its output get the rest before they see it end.
void complete_output(Broker& broker, const Ended& ended) {
    Running* known = broker.running(ended.jid);
    if (!known || known->token != ended.token) return;
    constexpr size_t kWhole = limits::kOutputHeadBytes + limits::kOutputTailBytes;
    if (known->out && ended.report.result.size() <= kWhole) known->out->put(0, ended.report.result);
    if (known->err && ended.report.log.size() <= kWhole) known->err->put(0, ended.report.log);
}

// A job that its runner does not run any more: the configuration changed while it was taken.
task<void> put_aside(Session& session, Leased lease) {
    std::vector<Ended> batch(1);
    batch[0].jid = lease.job.jid;
    batch[0].token = lease.token;
    batch[0].owner = session.worker()->owner;
    batch[0].report.outcome = Outcome::released;
    co_await session.broker().finish(std::move(batch));
}

// Brings the worker's list of cancels up to what its jobs are now; true when there is one that it
// was not told of, knowing the job. `named`: what it says it runs.
bool has_new_cancels(Worker& worker, Broker& broker, const std::vector<std::string>& named) {
    auto is_asked = [&](const std::string& jid) {
        const Running* known = broker.running(jid);
        return known && known->cancel_asked && known->owner == worker.owner;
    };
    auto is_over = [&](const std::string& jid) { return !is_asked(jid); };
    std::set<std::string> all(worker.cancel.begin(), worker.cancel.end());
    all.insert(named.begin(), named.end());
    std::erase_if(all, is_over);
    std::erase_if(worker.cancel_told, [&](const auto& told) { return all.count(told.first) == 0; });
    worker.cancel.assign(all.begin(), all.end());
    const std::set<std::string> knows(named.begin(), named.end());
    return std::any_of(worker.cancel.begin(), worker.cancel.end(), [&](const std::string& jid) {
        auto told = worker.cancel_told.find(jid);
        return told == worker.cancel_told.end() || (!told->second && knows.count(jid) > 0);
    });
}

void note_told(Worker& worker, const std::vector<std::string>& named) {
    for (const auto& jid : worker.cancel) {
        const bool knew = std::find(named.begin(), named.end(), jid) != named.end();
        bool& told = worker.cancel_told[jid];
        told = told || knew;
    }
}

// The worker ends and has nothing left to report: nobody need wait for its lease.
task<void> take_leave(Session& session) {
    auto worker = session.worker();
    session.reply_bulk("{\"cancel\":[],\"lost\":[],\"state\":\"terminate\"}");
    std::vector<std::function<void()>> closers;
    for (const auto& [id, close] : worker->closers)
        closers.push_back(close);
    for (const auto& close : closers)
        close();  // ends its waits: what they took last comes back
    std::string owner = worker->owner, wid = worker->wid;
    co_await session.broker().hand_back_all(owner);
    std::string why = "its worker ended";
    co_await session.broker().reap(std::move(owner), std::move(why));
    if (session.broker().workers().find(wid) == worker) session.broker().workers().forget(wid);
    log(LogLevel::info, "worker.left", "", {{"worker", wid}});
}

}  // namespace

task<void> pools(Session& session, std::string argument) {
    Request request(argument);
    if (!is_worker(session)) co_return;
    bool local = session.worker()->kind == WorkerKind::runner;
    ServerContext& context = session.context();
    session.worker()->config_version = context.config_version;
    session.reply_bulk(
        assignment_json(context.config(), local, std::to_string(context.config_version)));
}

task<void> take(Session& session, std::string argument) {
    Request request(argument);
    FetchOrder order;
    order.queues = request.some_texts("queues");
    order.count = int(std::clamp<int64_t>(request.number("count", 1), 1, limits::kListPageMax));
    order.wait_ms = std::clamp<int64_t>(request.number("wait_ms"), 0, limits::kFetchWaitMaxMs);
    std::string pool = request.text("pool");
    auto types = request.texts("types");
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    auto worker = session.worker();
    ServerContext& context = session.context();
    if (types.size() > size_t(limits::kFetchQueues)) {
        Error error{ErrorCode::invalid, "TAKE names " + std::to_string(types.size()) +
                                            " types: at most " +
                                            std::to_string(limits::kFetchQueues) + " at once"};
        session.reply_error(error);
        co_return;
    }
    const bool local = worker->kind == WorkerKind::runner;
    order.owner = worker->owner;
    order.worker = local && !pool.empty() ? pool : worker->wid;
    if (local) {
        order.types_now = [&context, pool] { return context.types_of(pool); };
    } else if (!types.empty()) {
        order.types = types_of(std::move(types));
    }
    auto ticket = session.new_ticket();
    worker->beat_ms = context.reactor.now_ms();
    order.allowed = [&session] { return session.may_take(); };
    if (!session.may_take()) {
        int64_t limit = std::min<int64_t>(order.wait_ms, limits::kFetchWaitMs);
        if (session.closed()) limit = 0;
        auto wait = session.going().wait(limit);
        co_await wait;
        session.reply_bulk("{\"jobs\":[]}");
        co_return;
    }
    auto leases = co_await session.broker().fetch(std::move(order), ticket);
    if (!leases) {
        session.reply_error(leases.error());
        co_return;
    }
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    std::vector<Leased> strangers;
    int64_t now = context.reactor.wall_ms();
    for (auto& lease : *leases) {
        if (!local || runs(context.types_of(pool), lease.job.type)) {
            write_taken(json, lease, session.broker(), now);
        } else {
            strangers.push_back(std::move(lease));
        }
    }
    json.end_array().end_object();
    for (auto& lease : strangers)
        co_await put_aside(session, std::move(lease));
    session.reply_bulk(json.take());
}

task<void> done(Session& session, std::string argument) {
    Request request(argument);
    const JsonField* jobs = request.field("jobs");
    if (!jobs || jobs->kind != JsonField::Kind::array) request.refuse("\"jobs\" is wanted here");
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    session.worker()->beat_ms = session.context().reactor.now_ms();
    std::vector<Ended> batch;
    for (const auto& element : json_array(jobs->raw)) {
        Request one(element.raw);
        batch.push_back(read_ended(one, *session.worker()));
        if (one.error()) {
            session.reply_error(*one.error());
            co_return;
        }
        complete_output(session.broker(), batch.back());
    }
    std::vector<std::string> jids;
    for (const auto& ended : batch)
        jids.push_back(ended.jid);
    auto results = co_await session.broker().finish(std::move(batch));
    JsonWriter json;
    json.begin_object().key("jobs").begin_array();
    for (size_t i = 0; i < jids.size(); ++i) {
        json.begin_object().field("jid", jids[i]).field("ok", results[i].has_value());
        if (!results[i]) json.field("error", info(results[i].error().code).name);
        json.end_object();
    }
    json.end_array().end_object();
    session.reply_bulk(json.take());
}

task<void> heartbeat(Session& session, std::string argument) {
    Request request(argument);
    if (request.text("state") == "ended" && session.opted_in() && session.worker()) {
        co_await take_leave(session);
        co_return;
    }
    int64_t wait_ms = std::clamp<int64_t>(request.number("wait_ms"), 0, limits::kBeatEveryMs);
    std::vector<std::pair<std::string, std::string>> held;
    if (const JsonField* running = request.field("running"))
        if (running->kind == JsonField::Kind::array)
            for (const auto& element : json_array(running->raw)) {
                Request one(element.raw);
                std::string jid = one.some_text("jid");
                held.emplace_back(std::move(jid), one.some_text("token"));
            }
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    auto worker = session.worker();
    ServerContext& context = session.context();
    worker->beat_ms = context.reactor.now_ms();
    std::string owner = worker->owner, wid = worker->wid;
    std::vector<std::string> named;
    for (const auto& [jid, token] : held)
        named.push_back(jid);
    std::vector<std::string> copy = named;
    co_await session.broker().hand_back_unheard(owner, std::move(copy));
    bool idle = held.empty();
    auto lost = co_await session.broker().adopt(std::move(owner), std::move(wid), std::move(held));
    // What a TAKE brings it meanwhile it gives back.
    if (idle && worker->kind == WorkerKind::runner && context.replaces_runner())
        worker->state = WorkerState::terminate;
    bool news = has_new_cancels(*worker, session.broker(), named) || !lost.empty() ||
                worker->state != worker->told || worker->config_version != context.config_version;
    if (!news && !session.closed()) {
        auto notice = worker->notice.wait(wait_ms);
        co_await notice;
    }
    worker->beat_ms = context.reactor.now_ms();
    has_new_cancels(*worker, session.broker(), named);
    note_told(*worker, named);
    JsonWriter json;
    json.begin_object().field("cancel", worker->cancel).field("lost", lost);
    json.field("state", name(worker->state));
    json.field("config", std::to_string(context.config_version)).end_object();
    worker->told = worker->state;
    worker->config_version = context.config_version;
    session.reply_bulk(json.take());
}

task<void> output(Session& session, std::string argument) {
    Request request(argument);
    const JsonField* jobs = request.field("jobs");
    if (!jobs || jobs->kind != JsonField::Kind::array) request.refuse("\"jobs\" is wanted here");
    if (request.error()) {
        session.reply_error(*request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    for (const auto& element : json_array(jobs->raw)) {
        Request one(element.raw);
        std::string jid = one.some_text("jid"), token = one.text("token");
        Running* known = session.broker().running(jid);
        if (!known || known->token != token) continue;
        bool is_stdout = one.text("stream") == "stdout";
        auto live = session.broker().live_output(jid, is_stdout);
        live->put(one.number("offset"), bytes_field(one, "text", "b64"));
        // Who follows both waits at the log's.
        if (is_stdout && known->err) known->err->changed.notify_all();
    }
    session.reply_bulk("{\"ok\":true}");
}

}  // namespace jobq::verbs
