// JOBQ verbs for operators: QUEUES PAUSE RESUME CLEAR STATS WORKERS SIGNAL EVENTS PING.
#include <unistd.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/base/version.h"
#include "daemon/observe/process_figures.h"
#include "daemon/server/job_view.h"
#include "daemon/server/verbs/actions.h"
#include "daemon/server/verbs/request.h"

namespace jobq::verbs {
namespace {

constexpr int64_t kEventsWaitMs = 15'000;

task<Answer> set_paused(ServerContext& context, std::string argument, bool paused) {
    Request request(argument);
    auto names = request.some_texts("queues");
    for (const auto& queue : names)
        if (!is_name(queue)) request.refuse("invalid queue name: " + json_quoted(queue));
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto done = co_await context.broker.control().pause(std::move(names), paused);
    if (!done) co_return tl::unexpected<Error>(done.error());
    co_return "{\"ok\":true}";
}

void write_jobs(JsonWriter& json, const StoreStats& stats) {
    int64_t pending = stats.ready + stats.scheduled + stats.retrying + stats.blocked;
    json.begin_object().field("pending", pending).field("running", stats.running);
    json.field("completed", stats.succeeded).field("failed", stats.dead);
    json.field("total", stats.enqueued).field("enqueued", stats.enqueued);
    json.field("ready", stats.ready).field("scheduled", stats.scheduled);
    json.field("retrying", stats.retrying).field("dead", stats.dead);
    json.field("blocked", stats.blocked).field("succeeded", stats.succeeded);
    json.field("cancelled", stats.cancelled).field("expired", stats.expired);
    json.field("dropped", stats.dropped).field("removed", stats.removed);
    json.field("processed", stats.processed).field("failed_attempts", stats.failed_attempts);
    json.end_object();
}

void write_worker(JsonWriter& json, const Worker& worker, Broker& broker) {
    int64_t now = broker.reactor().now_ms();
    json.begin_object().field("wid", worker.wid).field("kind", name(worker.kind));
    json.field("hostname", worker.hostname).field("pid", worker.pid);
    json.field("state", worker.is_gone() ? std::string_view("gone") : name(worker.state));
    json.field("labels", worker.labels);
    json.field("connected_at", format_rfc3339(worker.connected_wall_ms));
    json.field("connections", worker.connections);
    json.field("beat_ago_ms", worker.kind == WorkerKind::pool ? 0 : now - worker.beat_ms);
    if (worker.slots > 0) json.field("slots", worker.slots);
    json.key("jobs").begin_array();
    for (const auto& [jid, running] : broker.running().all()) {
        bool its = running.owner() == worker.owner && !worker.owner.empty();
        if (!its && running.worker != worker.wid) continue;
        json.begin_object().field("jid", jid).field("type", running.job.type);
        json.field("queue", running.job.queue).field("attempt", current_attempt(running.record));
        json.field("started_at", format_rfc3339(running.started_wall_ms)).end_object();
    }
    json.end_array().end_object();
}

void write_storage(JsonWriter& json, const StorageStatus& storage) {
    json.key("storage").begin_object();
    json.field("state", storage.word());
    if (const std::string why = storage.why(); !why.empty()) json.field("text", why);
    if (storage.refused) json.field("reason", storage.refused_reason);
    if (!storage.note.empty()) json.field("note", storage.note);
    json.field("durability", storage.durability);
    if (!storage.dir.empty()) {
        json.field("dir", storage.dir).field("free_bytes", storage.free_bytes);
        json.field("full_below_bytes", storage.wanted_bytes);
        json.field("reserve_bytes", storage.reserve_bytes);
        json.field("log_bytes", storage.log_bytes);
    }
    json.field("memory_bytes", storage.memory_bytes);
    json.field("memory_limit_bytes", storage.memory_limit).end_object();
}

}  // namespace

task<Answer> queues(ServerContext& context, std::string argument) {
    Request request(argument);
    QueueRequest which;
    which.names = request.texts("queues");
    which.after = request.text("cursor");
    const int64_t limit = request.number("limit", limits::kListPageMax);
    which.limit = int(std::clamp<int64_t>(limit, 1, limits::kListPageMax));
    which.latency = true;
    if (request.error()) co_return tl::unexpected<Error>(*request.error());
    auto page = co_await context.broker.store().queue_page(std::move(which));
    if (!page) co_return tl::unexpected<Error>(page.error());
    JsonWriter json;
    json.begin_object().key("queues");
    write_queues(json, page->queues, context.reactor.wall_ms());
    json.field("total", page->known).field("next", page->next).end_object();
    co_return json.take();
}

task<Answer> pause(ServerContext& context, std::string argument) {
    auto answer = co_await set_paused(context, std::move(argument), true);
    co_return answer;
}

task<Answer> resume(ServerContext& context, std::string argument) {
    auto answer = co_await set_paused(context, std::move(argument), false);
    co_return answer;
}

task<Answer> clear(ServerContext& context, std::string argument) {
    Request request(argument);
    auto queue = request.some_text("queue");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto removed = co_await context.broker.control().clear(std::move(queue), false);
    if (!removed) co_return tl::unexpected<Error>(removed.error());
    co_return "{\"removed\":" + std::to_string(*removed) + "}";
}

task<Answer> stats(ServerContext& context, std::string) {
    Broker& broker = context.broker;
    auto totals = co_await broker.store().stats();
    if (!totals) {
        co_return tl::unexpected<Error>(totals.error());
    }
    QueueRequest first;
    first.limit = limits::kListPage;
    first.latency = true;
    auto some = co_await broker.store().queue_page(std::move(first));
    if (!some) {
        co_return tl::unexpected<Error>(some.error());
    }
    int64_t now = context.reactor.wall_ms();
    JsonWriter json;
    json.begin_object().field("now", format_rfc3339(now)).field("version", version());
    json.field("uptime_s", (context.reactor.now_ms() - context.status.started_ms) / 1000);
    json.key("jobs");
    write_jobs(json, *totals);
    // Counts since the start: whoever watches takes differences over its own interval.
    json.key("since_start").begin_object().field("enqueued", broker.totals().enqueued());
    json.field("finished", broker.totals().finished()).end_object();
    // The first by name: QUEUES has them all, page by page.
    json.field("queues_total", some->known).key("queues");
    write_queues(json, some->queues, now);
    json.key("pools").begin_array();
    for (const auto& pool : context.pools.statuses(broker)) {
        json.begin_object().field("name", pool.name).field("kind", pool.kind);
        json.field("slots", pool.slots).field("busy", pool.busy);
        json.field("queues", pool.queues).end_object();
    }
    json.end_array().key("redis").begin_object();
    json.field("state", context.status.redis.state_text()).end_object();
    if (totals->ready > 0) broker.wakeups().stir();
    json.field("watchdog_woke", context.counters.watchdog_woke);
    write_storage(json, broker.storage().status());
    json.field("connections", context.counters.connections).field("memory_bytes", resident_bytes());
    json.end_object();
    co_return json.take();
}

task<Answer> workers(ServerContext& context, std::string) {
    JsonWriter json;
    json.begin_object().key("workers").begin_array();
    for (const auto& worker : context.broker.workers().all())
        write_worker(json, *worker, context.broker);
    json.end_array().end_object();
    co_return json.take();
}

task<Answer> signal(ServerContext& context, std::string argument) {
    Request request(argument);
    auto wid = request.some_text("wid");
    auto what = request.some_text("signal");
    if (what != "quiet" && what != "terminate" && !what.empty())
        request.refuse("\"signal\" must be quiet or terminate");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    int told = 0;
    for (const auto& worker : context.broker.workers().all()) {
        if (worker->kind == WorkerKind::pool || (wid != "all" && worker->wid != wid)) continue;
        if (worker->kind == WorkerKind::faktory && worker->is_gone()) continue;
        ++told;
        if (what == "terminate") worker->state = WorkerState::terminate;
        if (what == "quiet" && worker->state == WorkerState::running)
            worker->state = WorkerState::quiet;
        worker->notice.notify_all();
    }
    context.broker.waiters().notify_all();  // theirs too
    if (told == 0) co_return fail(ErrorCode::not_found, "no worker " + wid + " is connected");
    co_return "{\"ok\":true,\"workers\":" + std::to_string(told) + "}";
}

task<Result<>> events(ServerContext& context, std::string argument, Messages* to) {
    Request request(argument);
    auto wanted = request.texts("types");
    if (request.error()) {
        co_return tl::unexpected<Error>(*request.error());
    }
    auto subscription = context.broker.events().subscribe({std::move(wanted), "", ""});
    while (!to->closed()) {
        while (!subscription->waiting.empty()) {
            auto event = std::move(subscription->waiting.front());
            subscription->waiting.pop_front();
            to->send(event->json);
        }
        if (subscription->lost > 0) {
            to->send("{\"event\":\"lost\",\"count\":" + std::to_string(subscription->lost) + "}");
            subscription->lost = 0;
        }
        co_await to->drained();
        auto more = subscription->changed.wait(kEventsWaitMs);
        co_await more;
    }
    co_return Result<>{};
}

task<Answer> ping(ServerContext& context, std::string) {
    JsonWriter json;
    json.begin_object().field("version", version()).field("pid", int64_t(getpid()));
    json.field("uptime_s", (context.reactor.now_ms() - context.status.started_ms) / 1000);
    json.field("state", name(context.status.state)).field("unix", context.status.unix_path);
    json.field("tcp", context.status.tcp).field("http", context.status.http);
    json.field("dev", context.config().dev);
    const StorageStatus storage = context.broker.storage().status();
    json.field("storage", storage.word());
    if (storage.full || storage.refused) json.field("storage_text", storage.why());
    if (!storage.note.empty()) json.field("storage_note", storage.note);
    json.end_object();
    co_return json.take();
}

}  // namespace jobq::verbs
