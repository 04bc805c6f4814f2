#include "core/store/redis/control.h"

#include <algorithm>
#include <iterator>

#include "core/job/codec.h"
#include "core/job/decide.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/cause_args.h"

namespace jobq {
namespace {

FinalRecord cancelled_record(const JobView& view, int64_t now) {
    FinalRecord record;
    record.state = State::cancelled;
    record.type = view.job.type;
    record.queue = view.job.queue;
    record.created_ms = view.job.created_ms;
    record.finished_ms = now;
    record.attempts = view.record.attempts;
    record.tags = view.job.tags;
    record.content = content_of(view.job);
    return record;
}

std::string none_such(const std::string& jid) {
    return "job " + jid + " does not exist";
}

Error wrong_state(const std::string& jid, State state) {
    return {ErrorCode::conflict, "job " + jid + " is " + std::string(name(state))};
}

// So many as one call of a script changes: each may have a lock, a batch and a cause to count.
std::vector<std::string> part_of(const std::vector<std::string>& jids, size_t from) {
    const size_t to = std::min(jids.size(), from + limits::kScriptActs);
    return {jids.begin() + int64_t(from), jids.begin() + int64_t(to)};
}

}  // namespace

task<Result<std::vector<Result<Cancelled>>>> RedisControl::cancel(std::vector<std::string> jids) {
    std::vector<Result<Cancelled>> results;
    results.reserve(jids.size());
    for (size_t from = 0; from < jids.size(); from += limits::kScriptActs) {
        auto part = co_await cancel_part(part_of(jids, from));
        if (!part) co_return tl::unexpected<Error>(part.error());
        std::move(part->begin(), part->end(), std::back_inserter(results));
    }
    co_return results;
}

task<Result<std::vector<Result<Cancelled>>>> RedisControl::cancel_part(
    std::vector<std::string> jids) {
    auto views = co_await jobs_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    int64_t now = caller_.wall_ms();
    std::vector<Result<Cancelled>> results(jids.size(), Cancelled{});
    Command args;
    args.add(now).add("done:" + std::to_string(bucket_second(now, limits::kRetentionMs)));
    args.add(int64_t(jids.size()));
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        args.add(jids[i]).add(view ? encode_final(cancelled_record(*view, now)) : "");
    }
    auto reply = co_await caller_.run(scripts::cancel, std::move(args), jids.size());
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    caller_.tell_ready(*reply, jids.size());
    for (size_t i = 0; i < jids.size(); ++i) {
        const std::string& was = reply->items[i].text;
        if (was.empty() && (*views)[i]) {
            // Over before, or between the two steps.
            State state = (*views)[i]->state;
            results[i] = tl::unexpected<Error>(
                wrong_state(jids[i], is_final(state) ? state : State::succeeded));
        } else if (was.empty()) {
            results[i] = fail(ErrorCode::not_found, none_such(jids[i]));
        } else if (was.rfind("running ", 0) == 0) {
            results[i] = Cancelled{State::running, was.substr(8)};
        } else {
            results[i] = Cancelled{state_from_name(was).value_or(State::ready), ""};
        }
        if (results[i] && (*views)[i]) {
            results[i]->type = (*views)[i]->job.type;
            results[i]->queue = (*views)[i]->job.queue;
        }
    }
    std::vector<std::string> told;
    for (size_t i = 0; i < jids.size(); ++i)
        if (results[i]) told.push_back(jids[i]);
    std::string word(kCancelHint);
    co_await caller_.hint(std::move(word), std::move(told));
    co_return results;
}

task<Result<std::vector<Result<>>>> RedisControl::requeue(std::vector<std::string> jids,
                                                          bool revive) {
    std::vector<Result<>> results;
    results.reserve(jids.size());
    for (size_t from = 0; from < jids.size(); from += limits::kScriptActs) {
        auto part = co_await requeue_part(part_of(jids, from), revive);
        if (!part) co_return part;
        std::move(part->begin(), part->end(), std::back_inserter(results));
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> RedisControl::requeue_part(std::vector<std::string> jids,
                                                               bool revive) {
    auto views = co_await jobs_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    int64_t now = caller_.wall_ms();
    Command args;
    std::vector<size_t> asked;
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        if (!view || is_final(view->state)) continue;
        JobRecord record = view->record;
        if (revive) record = revived(record, now);
        // Else it keeps the time it was enqueued at, unless that lies ahead.
        if (revive || view->job.run_at_ms > now) record.ready_ms = now;
        record.next_at_ms = 0;
        args.add(jids[i])
            .add(header_of(view->job.queue, view->job.priority))
            .add(encode_record(record));
        asked.push_back(i);
    }
    Command head;
    head.add(int64_t(caller_.options().publish_hints)).add(int64_t(asked.size()));
    head.add_all(args);
    auto reply = co_await caller_.run(scripts::requeue, std::move(head), asked.size());
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    std::vector<Result<>> results(jids.size());
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        if (!view) {
            results[i] = tl::unexpected<Error>(view.error());
        } else if (is_final(view->state)) {
            results[i] = tl::unexpected<Error>(wrong_state(jids[i], view->state));
        }
    }
    for (size_t i = 0; i < asked.size(); ++i) {
        if (integer_of(reply->items[i]) == 1) continue;
        State state = (*views)[asked[i]]->state;
        results[asked[i]] = tl::unexpected<Error>(wrong_state(jids[asked[i]], state));
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> RedisControl::remove(std::vector<std::string> jids) {
    std::vector<Result<>> results(jids.size());
    for (size_t from = 0; from < jids.size(); from += limits::kScriptActs) {
        size_t to = std::min(jids.size(), from + limits::kScriptActs);
        Command args;
        args.add(caller_.wall_ms());
        for (size_t i = from; i < to; ++i)
            args.add(jids[i]);
        auto reply = co_await caller_.run(scripts::remove, std::move(args), to - from);
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        caller_.tell_ready(*reply, to - from);
        for (size_t i = from; i < to; ++i) {
            int64_t code = integer_of(reply->items[i - from]);
            if (code == 0) results[i] = fail(ErrorCode::not_found, none_such(jids[i]));
            if (code < 0) results[i] = tl::unexpected<Error>(wrong_state(jids[i], State::running));
        }
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> RedisControl::kill(std::vector<std::string> jids) {
    std::vector<Result<>> results;
    results.reserve(jids.size());
    for (size_t from = 0; from < jids.size(); from += limits::kScriptActs) {
        auto part = co_await kill_part(part_of(jids, from));
        if (!part) co_return part;
        std::move(part->begin(), part->end(), std::back_inserter(results));
    }
    co_return results;
}

task<Result<std::vector<Result<>>>> RedisControl::kill_part(std::vector<std::string> jids) {
    auto views = co_await jobs_.get(jids);
    if (!views) co_return tl::unexpected<Error>(views.error());
    int64_t now = caller_.wall_ms();
    Command args;
    args.add(now).add(int64_t(jids.size()));
    for (size_t i = 0; i < jids.size(); ++i) {
        const auto& view = (*views)[i];
        JobRecord record = view ? view->record : JobRecord{};
        record.reason = "killed";
        record.next_at_ms = 0;
        std::string header = view ? header_of(view->job.queue, view->job.priority) : "";
        args.add(jids[i]).add(header).add(encode_record(record));
        add_cause(args, view ? view->job.type : std::string(), record);
    }
    auto reply = co_await caller_.run(scripts::kill, std::move(args), jids.size());
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    caller_.tell_ready(*reply, jids.size());
    std::vector<Result<>> results(jids.size());
    for (size_t i = 0; i < jids.size(); ++i) {
        if (integer_of(reply->items[i]) == 1) continue;
        const auto& view = (*views)[i];
        results[i] = tl::unexpected<Error>(view ? wrong_state(jids[i], view->state) : view.error());
    }
    co_return results;
}

task<Result<>> RedisControl::pause(std::vector<std::string> queues, bool paused) {
    for (size_t from = 0; from < queues.size(); from += limits::kScriptJobs) {
        const size_t to = std::min(queues.size(), from + limits::kScriptJobs);
        Command args;
        args.add(int64_t(paused));
        for (size_t i = from; i < to; ++i)
            args.add(queues[i]);
        auto reply = co_await caller_.run(scripts::pause, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        for (size_t i = from; i < to && !paused && caller_.options().publish_hints; ++i) {
            Command told("PUBLISH", caller_.keys().hint_channel(), queues[i]);
            co_await caller_.call(std::move(told));
        }
    }
    co_return Result<>{};
}

task<Result<int64_t>> RedisControl::clear(std::string queue, bool forget) {
    QueueRequest this_one;
    this_one.names.push_back(queue);
    auto found = co_await figures_.queue_page(std::move(this_one));
    if (!found) co_return tl::unexpected<Error>(found.error());
    if (found->queues.empty())
        co_return fail(ErrorCode::not_found, "queue " + queue + " does not exist");
    const int64_t there = found->queues.front().size;
    int64_t removed = 0;
    while (true) {  // in slices: one call never blocks Redis for long
        Command args;
        int64_t slice = int64_t(limits::kScriptJobs);
        if (!forget) slice = std::min(slice, std::max<int64_t>(1, there - removed));
        args.add(queue).add(slice).add(int64_t(forget)).add(caller_.wall_ms());
        auto reply = co_await caller_.run(scripts::clear, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        caller_.tell_ready(*reply, 2);
        int64_t met = integer_of(reply->items[0]) + integer_of(reply->items[1]);
        removed += integer_of(reply->items[0]);
        if (met < slice) break;
        if (removed >= there && !forget) break;
    }
    co_return removed;
}

task<Result<>> RedisControl::flush() {
    Command none;
    auto reply = co_await caller_.run(scripts::flush, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return Result<>{};
}

}  // namespace jobq
