// RedisStore: failed jobs by cause. The scripts that move jobs into and out of retrying and dead
// keep the counts (lua/lib/failed.lua); what to count a job under comes with the move.
#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/job/cause.h"
#include "core/store/redis_store.h"
#include "core/store/scripts.h"

namespace jobq {
namespace {

// "<number> <text>"
std::pair<int64_t, std::string> numbered(const std::string& text) {
    const size_t space = text.find(' ');
    if (space == text.npos) return {0, ""};
    return {parse_int(text.substr(0, space)).value_or(0), text.substr(space + 1)};
}

}  // namespace

void add_cause(Command& args, const std::string& type, const JobRecord& record) {
    const Cause cause = cause_of(type, record);
    args.add(cause.fingerprint()).add(cause.to_json());
}

task<Result<FailedGroups>> RedisStore::failed_groups() {
    Command none;
    auto reply = co_await run(scripts::causes, std::move(none));
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

task<Result<bool>> RedisStore::count_failed() {
    if (count_cursor_.empty() && count_state_ == State::retrying) {
        Command ask;
        ask.add(0);
        auto counted = co_await run(scripts::count_failed, std::move(ask));
        if (!counted) co_return tl::unexpected<Error>(counted.error());
        if (integer_of(*counted) == 1) co_return false;
    }
    ListRequest request;
    request.state = count_state_;
    request.cursor = count_cursor_;
    request.limit = limits::kListPageMax;
    request.heads = true;
    auto page = co_await list(request);
    if (!page) co_return tl::unexpected<Error>(page.error());
    const bool over = page->next.empty() && count_state_ == State::dead;
    Command args;
    args.add(int64_t(over)).add(name(count_state_));
    for (const auto& view : page->jobs) {
        if (!view.group.empty()) continue;
        args.add(view.job.jid);
        add_cause(args, view.job.type, view.record);
    }
    auto reply = co_await run(scripts::count_failed, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    count_cursor_ = page->next;
    if (page->next.empty())
        count_state_ = count_state_ == State::retrying ? State::dead : State::retrying;
    co_return !over;
}

}  // namespace jobq
