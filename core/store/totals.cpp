// RedisStore: figures, and operations on whole queues.
#include <algorithm>

#include "core/job/codec.h"
#include "core/store/redis_store.h"
#include "core/store/scripts.h"

namespace jobq {
namespace {

// What the job that is next is, and since when it is ready.
void tell_next(QueueInfo& queue, const std::string& jid, const Reply& envelope,
               const Reply& record) {
    auto job = decode_job_head(jid, envelope.text);
    if (!job) return;
    queue.next_type = job->type;
    JobRecord history;
    if (!record.text.empty()) history = decode_record(record.text).value_or(history);
    // Once it was made ready by hand, its run_at, which may lie ahead, says nothing any more.
    queue.oldest_ms = history.ready_ms > 0
                          ? std::max(history.ready_ms, history.next_at_ms)
                          : std::max({job->created_ms, job->run_at_ms, history.next_at_ms});
}

// Rows behind the cursor and the number of all queues.
void add_queues(std::vector<QueueInfo>& queues, const std::vector<Reply>& rows) {
    for (size_t i = 2; i + 5 < rows.size(); i += 6) {
        QueueInfo queue;
        queue.name = rows[i].text;
        queue.paused = !rows[i + 1].text.empty() && rows[i + 1].text[0] == 'P';
        queue.size = integer_of(rows[i + 2]);
        if (queue.size > 0 && !rows[i + 3].text.empty())
            tell_next(queue, rows[i + 3].text, rows[i + 4], rows[i + 5]);
        queues.push_back(std::move(queue));
    }
}

}  // namespace

task<Result<StoreStats>> RedisStore::stats() {
    Command none;
    auto reply = co_await run(scripts::stats, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    auto& rows = reply->items;
    StoreStats stats;
    stats.scheduled = integer_of(rows[0]);
    stats.retrying = integer_of(rows[1]);
    stats.dead = integer_of(rows[2]);
    stats.ready = integer_of(rows[3]);
    stats.running = integer_of(rows[4]);

    struct Counter {
        std::string_view name;
        int64_t StoreStats::*field;
    };

    static constexpr Counter kCounters[] = {{"enqueued", &StoreStats::enqueued},
                                            {"succeeded", &StoreStats::succeeded},
                                            {"died", &StoreStats::died},
                                            {"cancelled", &StoreStats::cancelled},
                                            {"expired", &StoreStats::expired},
                                            {"dropped", &StoreStats::dropped},
                                            {"removed", &StoreStats::removed},
                                            {"processed", &StoreStats::processed},
                                            {"failed_attempts", &StoreStats::failed_attempts}};
    for (size_t i = 5; i + 1 < rows.size(); i += 2)
        for (const auto& counter : kCounters)
            if (counter.name == rows[i].text) stats.*counter.field = integer_of(rows[i + 1]);
    co_return stats;
}

// Few at a time: what others ask for meanwhile comes between two calls.
task<Result<QueuePage>> RedisStore::queue_page(QueueRequest request) {
    QueuePage page;
    page.next = std::move(request.after);
    size_t from = 0;
    int left = std::clamp(request.limit, 1, limits::kListPageMax);
    bool more = true;
    while (more) {
        const size_t to = std::min(request.names.size(), from + limits::kScriptQueues);
        const int some = std::min(left, int(limits::kScriptQueues));
        Command args;
        args.add(int64_t(request.latency)).add(page.next).add(some);
        for (; from < to; ++from)
            args.add(request.names[from]);
        auto reply = co_await run(scripts::queues, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        page.next = reply->items[0].text;
        page.known = integer_of(reply->items[1]);
        add_queues(page.queues, reply->items);
        left -= some;
        more = request.names.empty() ? left > 0 && !page.next.empty() : from < request.names.size();
    }
    co_return page;
}

task<Result<>> RedisStore::pause(std::vector<std::string> queues, bool paused) {
    for (size_t from = 0; from < queues.size(); from += limits::kScriptJobs) {
        const size_t to = std::min(queues.size(), from + limits::kScriptJobs);
        Command args;
        args.add(int64_t(paused));
        for (size_t i = from; i < to; ++i)
            args.add(queues[i]);
        auto reply = co_await run(scripts::pause, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        for (size_t i = from; i < to && !paused && options_.publish_hints; ++i) {
            Command told("PUBLISH", keys_.hint_channel(), queues[i]);
            co_await link_.call(std::move(told));
        }
    }
    co_return Result<>{};
}

task<Result<int64_t>> RedisStore::clear(std::string queue, bool forget) {
    QueueRequest this_one;
    this_one.names.push_back(queue);
    auto found = co_await queue_page(std::move(this_one));
    if (!found) co_return tl::unexpected<Error>(found.error());
    if (found->queues.empty())
        co_return fail(ErrorCode::not_found, "queue " + queue + " does not exist");
    const int64_t there = found->queues.front().size;
    int64_t removed = 0;
    while (true) {  // in slices: one call never blocks Redis for long
        Command args;
        int64_t slice = int64_t(limits::kScriptJobs);
        if (!forget) slice = std::min(slice, std::max<int64_t>(1, there - removed));
        args.add(queue).add(slice).add(int64_t(forget)).add(reactor_.wall_ms());
        auto reply = co_await run(scripts::clear, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        tell_ready(*reply, 2);
        int64_t met = integer_of(reply->items[0]) + integer_of(reply->items[1]);
        removed += integer_of(reply->items[0]);
        if (met < slice) break;
        if (removed >= there && !forget) break;
    }
    co_return removed;
}

task<Result<Promoted>> RedisStore::promote(int64_t now_ms, int limit) {
    Command args;
    args.add(now_ms).add(std::min(limit, int(limits::kScriptJobs)));
    args.add(int64_t(options_.publish_hints));
    auto reply = co_await run(scripts::promote, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    auto& rows = reply->items;
    Promoted promoted;
    promoted.next_due_ms = integer_of(rows[0]);
    promoted.more = integer_of(rows[1]) == 1;
    for (size_t i = 2; i + 1 < rows.size(); i += 2)
        promoted.queues[rows[i].text] += int(integer_of(rows[i + 1]));
    co_return promoted;
}

task<Result<>> RedisStore::purge(int64_t now_ms) {
    bool more = true;
    while (more) {
        Command args;
        args.add(now_ms).add(now_ms - limits::kDeadKeepMs).add(int64_t(limits::kScriptJobs));
        auto reply = co_await run(scripts::purge, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        more = integer_of(reply->items[0]) == 1;
        tell_ready(*reply, 1);
    }
    co_return Result<>{};
}

task<Result<>> RedisStore::flush() {
    Command none;
    auto reply = co_await run(scripts::flush, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return Result<>{};
}

}  // namespace jobq
