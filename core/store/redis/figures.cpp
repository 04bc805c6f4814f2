#include "core/store/redis/figures.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/text.h"
#include "core/job/cause.h"
#include "core/job/codec.h"
#include "core/store/link/scripts.h"

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

// "<number> <text>"
std::pair<int64_t, std::string> numbered(const std::string& text) {
    const size_t space = text.find(' ');
    if (space == text.npos) return {0, ""};
    return {parse_int(text.substr(0, space)).value_or(0), text.substr(space + 1)};
}

}  // namespace

task<Result<StoreStats>> RedisFigures::stats() {
    Command none;
    auto reply = co_await caller_.run(scripts::stats, std::move(none));
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
task<Result<QueuePage>> RedisFigures::queue_page(QueueRequest request) {
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
        auto reply = co_await caller_.run(scripts::queues, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        page.next = reply->items[0].text;
        page.known = integer_of(reply->items[1]);
        add_queues(page.queues, reply->items);
        left -= some;
        more = request.names.empty() ? left > 0 && !page.next.empty() : from < request.names.size();
    }
    co_return page;
}

task<Result<FailedGroups>> RedisFigures::failed_groups() {
    Command none;
    auto reply = co_await caller_.run(scripts::causes, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    FailedGroups found;
    found.all = integer_of(reply->items[0]) == 1;
    std::map<std::string, FailedGroup> groups;
    for (size_t part = 1; part <= 4; ++part) {
        const auto& rows = reply->items[part].items;
        for (size_t i = 0; i + 1 < rows.size(); i += 2) {
            FailedGroup& group = groups[rows[i].text];
            const std::string& value = rows[i + 1].text;
            if (part == 1) group.dead = integer_of(rows[i + 1]);
            if (part == 2) group.retrying = integer_of(rows[i + 1]);
            if (part == 3) {
                auto [since, words] = numbered(value);
                group.since_ms = since;
                group.cause = Cause::from_json(words);
            }
            if (part == 4) std::tie(group.latest_ms, group.latest) = numbered(value);
        }
    }
    for (auto& [id, group] : groups) {
        if (group.dead <= 0 && group.retrying <= 0) continue;
        group.id = id;
        found.groups.push_back(std::move(group));
    }
    co_return found;
}

}  // namespace jobq
