// JOBQ verbs of workers that opted in: POOLS TAKE DONE HEARTBEAT OUTPUT. Shapes in
// jobq-protocol(7).
#include <algorithm>
#include <set>

#include "core/base/time.h"
#include "core/protocol/runner_messages.h"
#include "daemon/observe/log.h"
#include "daemon/server/assignment.h"
#include "daemon/server/verbs/handlers.h"
#include "daemon/work/thread_pool.h"

namespace jobq::verbs {
namespace {

// The worker of this session, or an error reply.
bool is_worker(Session& session) {
    if (session.opted_in() && session.worker()) return true;
    session.reply_error({ErrorCode::forbidden,
                         "this is reserved for workers whose HELLO has \"jobq\":1 and a wid"});
    return false;
}

TakenJob taken(const Leased& lease, Broker& broker, int64_t now_ms) {
    const Job& job = lease.job;
    const TypePolicy& policy = broker.current().policy_of(job.type);
    TakenJob out;
    out.jid = job.jid;
    out.type = job.type;
    out.queue = job.queue;
    out.token = lease.token;
    out.attempt = current_attempt(lease.record);
    out.max_attempts = job.max_attempts ? *job.max_attempts
                       : job.retry      ? std::max(*job.retry + 1, 1)
                                        : policy.max_attempts.value_or(limits::kDefaultRetries + 1);
    out.timeout_ms = job.timeout_ms.value_or(policy.timeout_ms);
    out.deadline = format_rfc3339(later_ms(now_ms, out.timeout_ms));
    out.payload = handler_payload(job);
    out.traceparent = broker.traces().traceparent_of(lease.job, lease.record, lease.started_ms);
    return out;
}

Ended ended(DoneReport report, const Worker& worker) {
    Ended out;
    out.jid = std::move(report.jid);
    out.token = std::move(report.token);
    out.owner = worker.owner;
    out.report = std::move(report.run);
    if (out.report.worker.empty()) out.report.worker = worker.wid;
    return out;
}

// A runner that does not know the configuration in force can't run what that has added: it would
// spend an attempt on a type without a handler.
bool goes_by_now(const std::string& version, const ServerContext& context) {
    return version.empty() || version == context.status.config_version();
}

bool keeps_file(Broker& broker, const Running& running) {
    return broker.current().output_bytes_of(running.job.type) > int64_t(limits::kOutputKeptBytes);
}

OutputFiles::Key file_of(const Running& running) {
    return {running.job.jid, current_attempt(running.record)};
}

void add_to_file(Broker& broker, const Running& running, const OutputPiece& piece) {
    broker.output_files().add(file_of(running), running.token(), piece,
                              broker.current().output_bytes_of(running.job.type),
                              broker.config().output_quota_bytes);
}

// Followers of its output get the rest before they see it end.
void complete_output(Broker& broker, const Ended& ended) {
    Running* known = broker.running().find(ended.jid);
    if (!known || known->token() != ended.token) return;
    const bool has_file = keeps_file(broker, *known);
    if (!has_file) broker.output_files().remove(file_of(*known));  // of an earlier lease
    if (!known->output && !has_file) return;
    const RunReport& report = ended.report;
    const bool is_cut = report.result_cut || report.log_cut;
    Output kept{report.log, report.result, report.log_cut, report.result_cut, report.order};
    for (auto& piece : in_order(kept)) {
        if (has_file && is_cut) add_to_file(broker, *known, piece);
        if (known->output) known->output->put(std::move(piece), limits::kOutputFollowedBytes);
    }
    if (has_file && is_cut) broker.output_files().close(file_of(*known));
    // The store has all of it.
    if (has_file && !is_cut) broker.output_files().remove(file_of(*known));
}

// How much of the job may come, as its runner is told now.
OutputRoom room_of(Broker& broker, Running& running) {
    running.told_room =
        broker.followers().room(running.job.jid, running.output.get(), keeps_file(broker, running));
    return {running.job.jid, running.told_room};
}

// Of the jobs of that owner that had little room: those that have more of it. `all`: all that are
// followed.
std::vector<OutputRoom> rooms_of(Broker& broker, const std::string& owner, bool all) {
    constexpr int64_t kWorthIt = limits::kOutputWindowBytes / 2;
    std::vector<OutputRoom> rooms;
    for (Running* running : broker.running().of_owner(owner)) {
        if (running->told_room == OutputRoom::kNobody) continue;
        if (!all && running->told_room >= kWorthIt) continue;
        const int64_t now = broker.followers().room(running->job.jid, running->output.get(),
                                                    keeps_file(broker, *running));
        if (all || now == OutputRoom::kNobody || now >= kWorthIt)
            rooms.push_back(room_of(broker, *running));
    }
    return rooms;
}

// The runner is out of room for one of its jobs at least.
task<void> wait_for_room(Session& session, int64_t wait_ms) {
    constexpr int64_t kLookMs = 1'000;  // after followers that take nothing
    Broker& broker = session.broker();
    const std::string owner = session.worker()->owner;
    const int64_t until = broker.reactor().now_ms() + wait_ms;
    std::vector<OutputRoom> rooms = rooms_of(broker, owner, false);
    while (rooms.empty() && !session.closed()) {
        const int64_t left = until - broker.reactor().now_ms();
        if (left <= 0) break;
        auto changed = broker.followers().changed.wait(std::min(left, kLookMs));
        co_await changed;
        rooms = rooms_of(broker, owner, false);
    }
    if (rooms.empty()) rooms = rooms_of(broker, owner, true);
    session.reply_bulk(write(rooms));
}

// A job that its runner does not run any more: the configuration changed while it was taken.
task<void> put_aside(Session& session, Leased lease) {
    std::vector<Ended> batch(1);
    batch[0].jid = lease.job.jid;
    batch[0].token = lease.token;
    batch[0].owner = session.worker()->owner;
    batch[0].report.outcome = Outcome::released;
    co_await session.broker().attempts().finish(std::move(batch));
}

// Brings the worker's list of cancels up to what its jobs are now; true when there is one that it
// was not told of, knowing the job. `named`: what it says it runs.
bool has_new_cancels(Worker& worker, Broker& broker, const std::vector<std::string>& named) {
    auto is_asked = [&](const std::string& jid) {
        const Running* known = broker.running().find(jid);
        return known && known->cancel_asked && known->owner() == worker.owner;
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
    Notices last;
    last.state = WorkerState::terminate;
    session.reply_bulk(write(last));
    std::vector<std::function<void()>> closers;
    for (const auto& [id, close] : worker->closers)
        closers.push_back(close);
    for (const auto& close : closers)
        close();  // ends its waits: what they took last comes back
    std::string owner = worker->owner, wid = worker->wid;
    co_await session.broker().returns().hand_back_all(owner);
    std::string why = "its worker ended";
    co_await session.broker().leases().reap(std::move(owner), std::move(why));
    if (session.broker().workers().find(wid) == worker) session.broker().workers().forget(wid);
    log(LogLevel::info, "worker.left", "", {{"worker", wid}});
}

}  // namespace

task<void> pools(Session& session, std::string) {
    if (!is_worker(session)) co_return;
    bool local = session.worker()->kind == WorkerKind::runner;
    ServerContext& context = session.context();
    std::string version = context.status.config_version();
    session.worker()->config_version = version;
    session.reply_bulk(write(assignment_of(context.config(), local, std::move(version))));
}

task<void> take(Session& session, std::string argument) {
    auto request = read_take(argument);
    if (!request) {
        session.reply_error(request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    auto worker = session.worker();
    ServerContext& context = session.context();
    if (request->types.size() > size_t(limits::kFetchQueues)) {
        Error error{ErrorCode::invalid, "TAKE names " + std::to_string(request->types.size()) +
                                            " types; the limit is " +
                                            std::to_string(limits::kFetchQueues)};
        session.reply_error(error);
        co_return;
    }
    const bool local = worker->kind == WorkerKind::runner;
    const std::string pool = request->pool, version = request->config;
    if (local && !goes_by_now(version, context)) {
        session.reply_error(
            {ErrorCode::busy, "the configuration has changed; ask for POOLS, then TAKE again"});
        co_return;
    }
    FetchOrder order;
    order.queues = std::move(request->queues);
    order.count = request->count;
    order.wait_ms = request->wait_ms;
    order.owner = worker->owner;
    order.worker = local && !pool.empty() ? pool : worker->wid;
    if (local) {
        order.types_now = [&context, pool] { return context.pools.types_of(pool); };
    } else if (!request->types.empty()) {
        order.types = types_of(std::move(request->types));
    }
    auto ticket = session.new_ticket();
    worker->beat_ms = context.reactor.now_ms();
    order.allowed = [&session, &context, local, version] {
        return session.may_take() && (!local || goes_by_now(version, context));
    };
    if (!session.may_take()) {
        int64_t limit = std::min<int64_t>(order.wait_ms, limits::kFetchWaitMs);
        if (session.closed()) limit = 0;
        auto wait = session.going().wait(limit);
        co_await wait;
        session.reply_bulk("{\"jobs\":[]}");
        co_return;
    }
    auto leases = co_await session.broker().dispatch().fetch(std::move(order), ticket);
    if (!leases) {
        session.reply_error(leases.error());
        co_return;
    }
    std::vector<TakenJob> jobs;
    std::vector<Leased> strangers;
    int64_t now = context.reactor.wall_ms();
    for (auto& lease : *leases) {
        if (!local || runs(context.pools.types_of(pool), lease.job.type)) {
            jobs.push_back(taken(lease, session.broker(), now));
        } else {
            strangers.push_back(std::move(lease));
        }
    }
    for (auto& lease : strangers)
        co_await put_aside(session, std::move(lease));
    session.reply_bulk(write(jobs));
}

task<void> done(Session& session, std::string argument) {
    auto reports = read_done(argument);
    if (!reports) {
        session.reply_error(reports.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    session.worker()->beat_ms = session.context().reactor.now_ms();
    std::vector<Ended> batch;
    std::vector<DoneAnswer> answers;
    for (auto& report : *reports) {
        answers.push_back({report.jid});
        batch.push_back(ended(std::move(report), *session.worker()));
        complete_output(session.broker(), batch.back());
    }
    auto results = co_await session.broker().attempts().finish(std::move(batch));
    for (size_t i = 0; i < answers.size(); ++i) {
        answers[i].ok = results[i].has_value();
        if (!results[i]) answers[i].error = results[i].error().code;
    }
    session.reply_bulk(write(answers));
}

task<void> heartbeat(Session& session, std::string argument) {
    auto request = read_heartbeat(argument);
    const bool ends = request && request->state == BeatState::ended;
    if (ends && session.opted_in() && session.worker()) {
        co_await take_leave(session);
        co_return;
    }
    if (!request) {
        session.reply_error(request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    auto worker = session.worker();
    ServerContext& context = session.context();
    worker->beat_ms = context.reactor.now_ms();
    std::string owner = worker->owner, wid = worker->wid;
    std::vector<std::pair<std::string, std::string>> held;
    std::vector<std::string> named;
    for (auto& job : request->running) {
        named.push_back(job.jid);
        held.emplace_back(std::move(job.jid), std::move(job.token));
    }
    std::vector<std::string> copy = named;
    co_await session.broker().returns().hand_back_unheard(owner, std::move(copy));
    bool idle = held.empty();
    Notices notices;
    notices.lost =
        co_await session.broker().leases().adopt(std::move(owner), std::move(wid), std::move(held));
    // What a TAKE brings it meanwhile it gives back.
    if (idle && worker->kind == WorkerKind::runner && context.runner.is_outdated())
        worker->state = WorkerState::terminate;
    bool news = has_new_cancels(*worker, session.broker(), named) || !notices.lost.empty() ||
                worker->state != worker->told ||
                worker->config_version != context.status.config_version();
    if (!news && !session.closed()) {
        auto notice = worker->notice.wait(request->wait_ms);
        co_await notice;
    }
    worker->beat_ms = context.reactor.now_ms();
    has_new_cancels(*worker, session.broker(), named);
    note_told(*worker, named);
    notices.cancel = worker->cancel;
    notices.state = worker->state;
    notices.config = context.status.config_version();
    worker->told = worker->state;
    worker->config_version = notices.config;
    session.reply_bulk(write(notices));
}

task<void> output(Session& session, std::string argument) {
    auto request = read_output(argument);
    if (!request) {
        session.reply_error(request.error());
        co_return;
    }
    if (!is_worker(session)) co_return;
    if (request->chunks.empty()) {
        co_await wait_for_room(session, request->wait_ms);
        co_return;
    }
    Broker& broker = session.broker();
    std::vector<OutputRoom> rooms;
    for (auto& chunk : request->chunks) {
        Running* known = broker.running().find(chunk.jid);
        const bool is_known = known && known->token() == chunk.token;
        if (rooms.empty() || rooms.back().jid != chunk.jid)
            rooms.push_back({chunk.jid, OutputRoom::kNobody, is_known});
        if (!is_known) continue;
        const bool has_file = keeps_file(broker, *known);
        // Who followed it at another jobqd, or at this one before it was started, comes back; what
        // a file has he reads there.
        if (!known->output && chunk.followed && !has_file) broker.followers().expect(chunk.jid);
        if (has_file) add_to_file(broker, *known, chunk.piece);
        known->live_output(broker.reactor())
            ->put(std::move(chunk.piece), broker.followers().keeps(chunk.jid));
        rooms.back() = room_of(broker, *known);
    }
    session.reply_bulk(write(rooms));
}

}  // namespace jobq::verbs
