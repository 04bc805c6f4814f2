#include "core/store/redis/batches.h"

#include "core/base/text.h"
#include "core/job/codec.h"
#include "core/store/link/scripts.h"

namespace jobq {
namespace {

// `spare`: its jid when the one it has is another job's by then.
void add_callback(Command& args, const std::optional<Job>& job, const std::string& spare) {
    if (!job) {
        args.add("").add("").add("").add("").add("0").add("");
        return;
    }
    bool tracked = job->ties && job->ties->tracked;
    Ties follow;
    follow.tracked = tracked;
    std::string envelope = encode_job(*job, false);
    args.add(job->jid).add(header_of(job->queue, job->priority)).add(envelope);
    args.add(tracked ? " " + follow.words() : "").add(job->run_at_ms);
    args.add(checksum_for(spare, envelope));
}

tl::unexpected<Error> no_such_batch(const std::string& bid) {
    return fail(ErrorCode::not_found,
                "No such batch " + printable(utf8_prefix(to_utf8(bid), limits::kNameBytes)));
}

// What the store says of a callback without one is nothing to a client.
std::string shown_state(const std::string& state) {
    return state == "-" ? "" : state;
}

}  // namespace

task<Result<>> RedisBatches::make_batch(BatchSpec spec) {
    Command args;
    args.add(caller_.wall_ms()).add(spec.bid).add(spec.parent).add(spec.description);
    args.add(limits::kBatchPatienceMs).add(limits::kBatchKeepMs);
    add_callback(args, spec.complete, spec.bid + "-complete");
    add_callback(args, spec.success, spec.bid + "-success");
    auto reply = co_await caller_.run(scripts::batch_new, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (integer_of(*reply) == 1) co_return no_such_batch(spec.parent);
    co_return Result<>{};
}

task<Result<>> RedisBatches::open_batch(std::string bid, bool open) {
    Command args;
    args.add(caller_.wall_ms()).add(bid).add(int64_t(open));
    auto reply = co_await caller_.run(scripts::batch_open, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (integer_of(reply->items[0]) == 0) co_return no_such_batch(bid);
    caller_.tell_ready(*reply, 1);
    co_return Result<>{};
}

task<Result<BatchView>> RedisBatches::batch(std::string bid) {
    Command args;
    args.add(bid);
    auto reply = co_await caller_.run(scripts::batch_get, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    if (reply->items.empty()) co_return no_such_batch(bid);
    BatchView view;
    view.bid = bid;
    view.parent = reply->at(0).text;
    view.description = reply->at(1).text;
    view.created_ms = integer_of(reply->at(2));
    view.total = integer_of(reply->at(3));
    view.pending = integer_of(reply->at(4));
    view.failed = integer_of(reply->at(5));
    view.complete_state = shown_state(reply->at(6).text);
    view.success_state = shown_state(reply->at(7).text);
    view.open = reply->at(8).text == "1";
    co_return view;
}

task<Result<bool>> RedisBatches::track(ProgressUpdate update) {
    Command args;
    args.add(caller_.wall_ms()).add(update.jid).add(update.lease_until_ms);
    if (update.percent) args.add("percent").add(*update.percent);
    if (update.description) args.add("desc").add(*update.description);
    auto reply = co_await caller_.run(scripts::track, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return integer_of(*reply) == 1;
}

task<Result<std::vector<Progress>>> RedisBatches::progress(std::vector<std::string> jids) {
    std::vector<Progress> all;
    for (size_t from = 0; from < jids.size(); from += limits::kScriptJobs) {
        size_t to = std::min(jids.size(), from + limits::kScriptJobs);
        Command args;
        for (size_t i = from; i < to; ++i)
            args.add(jids[i]);
        auto reply = co_await caller_.run(scripts::track_get, std::move(args));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        reply->items.resize(to - from);
        for (const auto& row : reply->items) {
            Progress& one = all.emplace_back();
            one.tracked = integer_of(row.at(0)) == 1;
            if (!row.at(1).text.empty()) one.percent = integer_of(row.at(1));
            one.description = row.at(2).text;
            one.end = row.at(3).text;
            one.updated_ms = integer_of(row.at(4));
            one.lease_until_ms = integer_of(row.at(5));
        }
    }
    co_return all;
}

}  // namespace jobq
