// RedisStore: enqueue. Few script calls for what many callers ask at once.
#include <algorithm>
#include <map>
#include <unordered_set>

#include "core/base/failpoint.h"
#include "core/base/time.h"
#include "core/job/codec.h"
#include "core/store/redis_store.h"

namespace jobq {
namespace {

// A repeat of a PUSH is the same job when all the client chose is equal; the server's own marks
// (when it came) are not compared.
bool same_job(const Job& a, const Job& b) {
    return a.type == b.type && a.queue == b.queue && a.args == b.args && a.priority == b.priority &&
           a.custom == b.custom && a.at == b.at;
}

// A bug to be planted: before the checksum is taken, which finds what changes later.
Job changed(Job job) {
    job.args[job.args.size() - 3] ^= 1;  // ..."ms":17}]
    return job;
}

const Ties kNoTies;

}  // namespace

task<Result<std::vector<Result<Enqueued>>>> RedisStore::enqueue(std::vector<Job> jobs) {
    auto answers = co_await enqueue_.ask(std::move(jobs));
    co_return answers;
}

// Most jobs are new and wait in one list: those go together by `push`, one call for each list. What
// is scheduled goes by `enqueue`, which can say no. So does the whole batch when one in it has an
// idempotency key, ties or a jid that comes twice: the order of a list is the order of the calls.
task<void> RedisStore::send_enqueue(EnqueueCoalescer::Batch batch) {
    int64_t now = reactor_.wall_ms();
    std::unordered_set<std::string_view> jids;
    jids.reserve(batch.size());
    bool can_repeat = false;
    for (const auto& entry : batch) {
        const Job& job = entry.item();
        can_repeat |= !job.idempotency_key.empty() || job.ties || !jids.insert(job.jid).second;
    }
    std::map<std::string, EnqueueCoalescer::Batch> plain;
    EnqueueCoalescer::Batch others;
    for (auto& entry : batch) {
        const Job& job = entry.item();
        if (can_repeat || job.run_at_ms > now) {
            others.push_back(std::move(entry));
        } else {
            plain[header_of(job.queue, job.priority)].push_back(std::move(entry));
        }
    }
    // All calls at once: Redis does them in one turn, with one fsync.
    EnqueueCoalescer::Batch known;
    Gate calls(reactor_);
    for (auto& [header, group] : plain)
        calls.spawn(send_push(header, std::move(group), &known));
    if (!others.empty()) calls.spawn(send_others(std::move(others)));
    co_await calls.close();
    if (!known.empty()) co_await send_others(std::move(known));
}

// The batch is added to `known` when the call stored nothing, as it met a jid that is live.
task<void> RedisStore::send_push(std::string header, EnqueueCoalescer::Batch batch,
                                 EnqueueCoalescer::Batch* known) {
    Command args;
    args.add(int64_t(options_.publish_hints)).add(header);
    for (const auto& entry : batch) {
        std::string envelope = encode_job(entry.item(), false);
        if (JOBQ_FAILPOINT(payload_changed)) envelope = encode_job(changed(entry.item()), false);
        if (JOBQ_FAILPOINT(job_invented)) args.add(entry.item().jid + "-twin").add(envelope);
        args.add(entry.item().jid).add(envelope);
    }
    Result<Reply> reply;
    if (!JOBQ_FAILPOINT(push_dropped)) reply = co_await run(script("push"), std::move(args));
    if (reply && integer_of(*reply) == 1) {
        known->insert(known->end(), batch.begin(), batch.end());
        co_return;
    }
    for (const auto& entry : batch) {
        if (reply) {
            entry.answer(Enqueued{Enqueued::How::stored, entry.item().jid, State::ready});
        } else {
            entry.answer(tl::unexpected<Error>(reply.error()));
        }
    }
}

task<void> RedisStore::send_others(EnqueueCoalescer::Batch batch) {
    int64_t now = reactor_.wall_ms();
    Command args;
    args.add(now).add(now + limits::kIdempotencyWindowMs);
    args.add(int64_t(options_.publish_hints)).add(int64_t(batch.size()));
    for (const auto& entry : batch) {
        const Job& job = entry.item();
        args.add(job.jid).add(encode_job(job, false)).add(header_of(job.queue, job.priority));
        int64_t due = job.run_at_ms > now ? job.run_at_ms : 0;
        if (JOBQ_FAILPOINT(delayed_early)) due = std::max<int64_t>(0, due - 1'000);
        std::string_view key = job.idempotency_key;
        if (JOBQ_FAILPOINT(key_ignored)) key = {};
        args.add(due).add(key);
        const Ties& ties = job.ties ? *job.ties : kNoTies;
        args.add(ties.words()).add(ties.lock);
        args.add(later_ms(std::max(now, job.run_at_ms), ties.lock_for_ms));
    }
    auto reply = co_await run(script("enqueue"), std::move(args), batch.size());
    if (!reply) {
        for (const auto& entry : batch)
            entry.answer(tl::unexpected<Error>(reply.error()));
        co_return;
    }

    std::vector<std::string> repeated;  // live jids: the same job, or another?
    EnqueueCoalescer::Batch undecided;
    for (size_t i = 0; i < batch.size(); ++i) {
        const auto& entry = batch[i];
        bool all_stored = reply->kind != Reply::Kind::array;
        std::string code = all_stored ? "" : reply->at(i).text;
        State state = entry.item().run_at_ms > now ? State::scheduled : State::ready;
        if (code.empty()) {
            entry.answer(Enqueued{Enqueued::How::stored, entry.item().jid, state});
        } else if (code[0] == '!') {
            auto how =
                code.substr(1) == entry.item().jid ? Enqueued::How::same : Enqueued::How::existing;
            entry.answer(Enqueued{how, code.substr(1), state});
        } else if (code == "u") {
            entry.answer(fail(ErrorCode::not_unique, "Job not unique"));
        } else if (code == "b") {
            entry.answer(fail(ErrorCode::not_found, "No such batch " + entry.item().ties->bid));
        } else {
            repeated.push_back(entry.item().jid);
            undecided.push_back(entry);
        }
    }
    if (undecided.empty()) co_return;

    auto views = co_await get(std::move(repeated));
    for (size_t i = 0; i < undecided.size(); ++i) {
        const auto& entry = undecided[i];
        if (!views) {
            entry.answer(tl::unexpected<Error>(views.error()));
        } else if ((*views)[i] && same_job((*views)[i]->job, entry.item())) {
            entry.answer(Enqueued{Enqueued::How::same, entry.item().jid, (*views)[i]->state});
        } else {
            // Also when it ended in between: the answer must not claim what was not stored.
            entry.answer(fail(ErrorCode::duplicate, "the id " + entry.item().jid +
                                                        " belongs to another job that is not over: "
                                                        "leave the id away, or give another"));
        }
    }
}

}  // namespace jobq
