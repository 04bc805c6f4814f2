#include "core/store/redis/fetcher.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "core/job/codec.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/rows.h"

namespace jobq {

Fetcher::Fetcher(ScriptCaller& caller)
    : caller_(caller),
      calls_(
          caller.reactor(),
          {limits::kScriptJobs, limits::kScriptBytes, caller.options().calls_in_flight},
          [](const FetchRequest&) { return size_t(1); },
          [this](Batch batch) {
              caller_.tell(StoreBatch::fetch, batch.size());
              return send(std::move(batch));
          }) {}

task<Result<std::vector<Leased>>> Fetcher::fetch(FetchRequest request) {
    const bool runs_nothing = request.types && request.types->names().empty();
    if (request.queues.empty() || request.count <= 0 || runs_nothing)
        co_return std::vector<Leased>();
    std::vector<FetchRequest> one;
    one.push_back(std::move(request));
    auto answers = co_await calls_.ask(std::move(one));
    co_return std::move(answers.front());
}

// Many workers of one owner that ask for the same are one call: who asked first is served first.
task<void> Fetcher::send(Batch batch) {
    std::map<std::string, Batch> groups;
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
    Gate calls(caller_.reactor());
    for (auto& [key, group] : groups)
        calls.spawn(fetch_together(std::move(group)));
    co_await calls.close();
}

// Requires: all ask for the same but for the count.
task<void> Fetcher::fetch_together(Batch group) {
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

task<Result<std::vector<Leased>>> Fetcher::fetch_for(FetchRequest request) {
    std::vector<Leased> leases;
    std::string token = request.token.empty() ? caller_.next_token() : request.token;
    int64_t now = caller_.wall_ms();
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
        auto reply = co_await caller_.run(take, std::move(args));
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
    co_return leases;
}

}  // namespace jobq
