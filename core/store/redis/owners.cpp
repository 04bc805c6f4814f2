#include "core/store/redis/owners.h"

#include <algorithm>
#include <iterator>

#include "core/store/link/scripts.h"
#include "core/store/redis/rows.h"

namespace jobq {

task<Result<std::vector<Leased>>> RedisOwners::take_over(std::string from, std::string to,
                                                         std::vector<LeaseName> some, int limit) {
    if (some.size() <= limits::kScriptJobs) {
        auto all = co_await take_over_part(std::move(from), std::move(to), std::move(some), limit);
        co_return all;
    }
    std::vector<Leased> leases;
    for (size_t at = 0; at < some.size(); at += limits::kScriptJobs) {
        const size_t end = std::min(some.size(), at + limits::kScriptJobs);
        std::vector<LeaseName> names(some.begin() + int64_t(at), some.begin() + int64_t(end));
        auto part = co_await take_over_part(from, to, std::move(names), limit);
        if (!part) co_return part;
        std::move(part->begin(), part->end(), std::back_inserter(leases));
    }
    co_return leases;
}

task<Result<std::vector<Leased>>> RedisOwners::take_over_part(std::string from, std::string to,
                                                              std::vector<LeaseName> some,
                                                              int limit) {
    std::string token = caller_.next_token();
    Command args;
    args.add(from).add(to).add(token).add(std::min(limit, int(limits::kScriptJobs)));
    for (const auto& one : some)
        args.add(one.jid).add(one.token);
    auto reply = co_await caller_.run(scripts::take_over, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    std::vector<Leased> leases;
    auto& rows = reply->items;
    for (size_t i = 0; i + 4 < rows.size(); i += 5) {
        const std::string& held = rows[i + 4].text;
        Reply started;
        started.text = held.substr(held.find(' ') + 1);
        leases.push_back(leased_of(rows[i], rows[i + 1], rows[i + 2], token, integer_of(started)));
        leases.back().cancelled = integer_of(rows[i + 3]) == 1;
        if (leases.back().job.queue.empty()) leases.back().job.queue = "default";
    }
    co_return leases;
}

task<Result<>> RedisOwners::beat(std::vector<std::string> owners) {
    Command args;
    for (const auto& owner : owners)
        args.add(owner);
    auto reply = co_await caller_.run(scripts::beat, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return Result<>{};
}

task<Result<std::vector<OwnerInfo>>> RedisOwners::owners() {
    Command none;
    auto reply = co_await caller_.run(scripts::owners, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    std::vector<OwnerInfo> owners;
    auto& rows = reply->items;
    for (size_t i = 0; i + 2 < rows.size(); i += 3)
        owners.push_back({rows[i].text, integer_of(rows[i + 1]), integer_of(rows[i + 2])});
    co_return owners;
}

task<Result<std::vector<std::string>>> RedisOwners::cancels() {
    Command keys("HKEYS", caller_.keys().of("cancel"));
    auto reply = co_await caller_.call(std::move(keys));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    std::vector<std::string> jids;
    for (const auto& item : reply->items)
        jids.push_back(item.text);
    co_return jids;
}

}  // namespace jobq
