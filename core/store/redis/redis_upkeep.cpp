#include "core/store/redis/redis_upkeep.h"

#include <algorithm>

#include "core/store/doctor/doctor.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/cause_args.h"

namespace jobq {

task<Result<Promoted>> RedisUpkeep::promote(int64_t now_ms, int limit) {
    Command args;
    args.add(now_ms).add(std::min(limit, int(limits::kScriptJobs)));
    args.add(int64_t(caller_.options().publish_hints));
    auto reply = co_await caller_.run(scripts::promote, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    auto& rows = reply->items;
    Promoted promoted;
    promoted.next_due_ms = integer_of(rows[0]);
    promoted.more = integer_of(rows[1]) == 1;
    for (size_t i = 2; i + 1 < rows.size(); i += 2)
        promoted.queues[rows[i].text] += int(integer_of(rows[i + 1]));
    co_return promoted;
}

task<Result<>> RedisUpkeep::purge(int64_t now_ms) {
    bool more = true;
    while (more) {
        Command args;
        args.add(now_ms).add(now_ms - limits::kDeadKeepMs).add(int64_t(limits::kScriptJobs));
        auto reply = co_await caller_.run(scripts::purge, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        more = integer_of(reply->items[0]) == 1;
        caller_.tell_ready(*reply, 1);
    }
    co_return Result<>{};
}

task<Result<bool>> RedisUpkeep::count_failed() {
    if (count_cursor_.empty() && count_state_ == State::retrying) {
        Command ask;
        ask.add(0);
        auto counted = co_await caller_.run(scripts::count_failed, std::move(ask));
        if (!counted) co_return tl::unexpected<Error>(counted.error());
        if (integer_of(*counted) == 1) co_return false;
    }
    ListRequest request;
    request.state = count_state_;
    request.cursor = count_cursor_;
    request.limit = limits::kListPageMax;
    request.heads = true;
    auto page = co_await jobs_.list(request);
    if (!page) co_return tl::unexpected<Error>(page.error());
    const bool over = page->next.empty() && count_state_ == State::dead;
    Command args;
    args.add(int64_t(over)).add(name(count_state_));
    for (const auto& view : page->jobs) {
        if (!view.group.empty()) continue;
        args.add(view.job.jid);
        add_cause(args, view.job.type, view.record);
    }
    auto reply = co_await caller_.run(scripts::count_failed, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    count_cursor_ = page->next;
    if (page->next.empty())
        count_state_ = count_state_ == State::retrying ? State::dead : State::retrying;
    co_return !over;
}

std::unique_ptr<Checkup> RedisUpkeep::checkup(bool fix) {
    return std::make_unique<Doctor>(caller_, fix);
}

}  // namespace jobq
