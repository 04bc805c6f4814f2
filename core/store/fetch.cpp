// RedisStore: who runs what. fetch and take_over give leases, beat keeps them.
#include <iterator>
#include <map>

#include "core/base/failpoint.h"
#include "core/job/codec.h"
#include "core/store/redis_store.h"
#include "core/store/scripts.h"

namespace jobq {
namespace {

Leased leased_of(Reply& jid, Reply& envelope, Reply& record, const std::string& token,
                 int64_t started_ms) {
    Leased lease;
    lease.token = token;
    lease.started_ms = started_ms;
    auto job = decode_job(jid.text, envelope.text);
    if (job) {
        lease.job = std::move(*job);
    } else {
        lease.job = salvage_job(jid.text, envelope.text);
        lease.damage = job.error().text;
        lease.corrupt = true;
    }
    if (!record.text.empty()) {
        auto decoded = decode_record(record.text);
        if (decoded) {
            lease.record = std::move(*decoded);
        } else {
            lease.damage = decoded.error().text;
            lease.corrupt = true;
        }
    }
    return lease;
}

}  // namespace

task<Result<std::vector<Leased>>> RedisStore::fetch(FetchRequest request) {
    const bool runs_nothing = request.types && request.types->names().empty();
    if (request.queues.empty() || request.count <= 0 || runs_nothing)
        co_return std::vector<Leased>();
    std::vector<FetchRequest> one;
    one.push_back(std::move(request));
    auto answers = co_await fetch_.ask(std::move(one));
    co_return std::move(answers.front());
}

// Many workers of one owner that ask for the same are one call: who asked first is served first.
task<void> RedisStore::send_fetch(FetchCoalescer::Batch batch) {
    std::map<std::string, FetchCoalescer::Batch> groups;
    for (auto& entry : batch) {
        const FetchRequest& request = entry.item();
        std::string key = request.owner + '\n';
        // The same set, not one that is equal: a pool has one for all its calls.
        key += std::to_string(reinterpret_cast<uintptr_t>(request.types.get()));
        for (const auto& queue : request.queues)
            key += '\n' + queue;
        if (!request.throttles.empty()) key += "\n\n" + request.worker;
        groups[key].push_back(std::move(entry));
    }
    Gate calls(reactor_);
    for (auto& [key, group] : groups)
        calls.spawn(fetch_together(std::move(group)));
    co_await calls.close();
}

// Requires: all ask for the same but for the count.
task<void> RedisStore::fetch_together(FetchCoalescer::Batch group) {
    FetchRequest all = group.front().item();
    all.count = 0;
    for (const auto& entry : group)
        all.count += std::min(entry.item().count, int(limits::kScriptJobs));
    auto leases = co_await fetch_for(std::move(all));
    size_t at = 0;
    for (const auto& entry : group) {
        if (!leases) {
            entry.answer(tl::unexpected<Error>(leases.error()));
            continue;
        }
        const size_t end = std::min(leases->size(), at + size_t(entry.item().count));
        entry.answer(std::vector<Leased>(std::make_move_iterator(leases->begin() + long(at)),
                                         std::make_move_iterator(leases->begin() + long(end))));
        at = end;
    }
}

task<Result<std::vector<Leased>>> RedisStore::fetch_for(FetchRequest request) {
    std::vector<Leased> leases;
    std::string token = request.token.empty() ? next_token() : request.token;
    int64_t now = reactor_.wall_ms();
    int64_t count = std::min<int64_t>(request.count, int64_t(limits::kScriptJobs));
    bool more = true;
    while (more && leases.empty()) {  // again only after a call that took none of those it met
        Command args;
        args.add(request.owner).add(token).add(now).add(count);
        if (request.types) {
            args.add(int64_t(request.types->names().size()));
            for (const auto& type : request.types->names())
                args.add(type);
        } else {
            args.add(-1);
        }
        const bool throttled = !request.throttles.empty();
        if (throttled) args.add(request.worker);
        for (const auto& queue : request.queues) {
            args.add(queue);
            if (!throttled) continue;
            auto limits = request.throttles.find(queue);
            Throttle none;
            const Throttle& throttle = limits == request.throttles.end() ? none : limits->second;
            args.add(throttle.in_all).add(throttle.per_worker);
        }
        const Script& take = throttled ? scripts::fetch_throttled : scripts::fetch;
        auto reply = co_await run(take, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        auto& parts = reply->items;
        more = integer_of(parts[0]) == 1;
        auto& ids = parts[1].items;
        auto& envelopes = parts[2].items;
        if (ids.size() != envelopes.size())
            co_return fail(ErrorCode::unknown, "Redis returned jobs that do not match their ids");
        Reply none;
        std::vector<Reply*> records(ids.size(), &none);
        for (size_t i = 3; i + 1 < parts.size(); i += 2) {
            const auto place = uint64_t(integer_of(parts[i]) - 1);
            if (place < records.size()) records[place] = &parts[i + 1];
        }
        leases.reserve(ids.size());
        for (size_t i = 0; i < ids.size(); ++i) {
            leases.push_back(leased_of(ids[i], envelopes[i], *records[i], token, now));
            if (leases.back().job.queue.empty()) leases.back().job.queue = request.queues.front();
        }
    }
    if (!leases.empty() && JOBQ_FAILPOINT(fetch_twice)) {
        Command again("LPUSH", keys_.of("q:" + leases[0].job.queue), leases[0].job.jid);
        co_await link_.call(std::move(again));
    }
    co_return leases;
}

task<Result<std::vector<Leased>>> RedisStore::take_over(std::string from, std::string to,
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

task<Result<std::vector<Leased>>> RedisStore::take_over_part(std::string from, std::string to,
                                                             std::vector<LeaseName> some,
                                                             int limit) {
    std::string token = next_token();
    Command args;
    args.add(from).add(to).add(token).add(std::min(limit, int(limits::kScriptJobs)));
    for (const auto& one : some)
        args.add(one.jid).add(one.token);
    auto reply = co_await run(scripts::take_over, std::move(args));
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

task<Result<>> RedisStore::beat(std::vector<std::string> owners) {
    Command args;
    for (const auto& owner : owners)
        args.add(owner);
    auto reply = co_await run(scripts::beat, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return Result<>{};
}

task<Result<std::vector<OwnerInfo>>> RedisStore::owners() {
    Command none;
    auto reply = co_await run(scripts::owners, std::move(none));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    std::vector<OwnerInfo> owners;
    auto& rows = reply->items;
    for (size_t i = 0; i + 2 < rows.size(); i += 3)
        owners.push_back({rows[i].text, integer_of(rows[i + 1]), integer_of(rows[i + 2])});
    co_return owners;
}

}  // namespace jobq
