#include "core/store/redis/enqueuer.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "core/base/time.h"
#include "core/job/codec.h"
#include "core/store/known.h"
#include "core/store/link/scripts.h"

namespace jobq {
namespace {

size_t weight_of(const Job& job) {
    return job.args.size() + job.custom.size() + 128;
}

// How the script is to look at the job's jid.
std::string_view known_as(const Job& job) {
    // Faktory says NOTUNIQUE of a job that holds its own lock.
    if (job.reuse == Reuse::plain) return job.may_be_known ? "pl" : "p";
    return job.may_be_known ? "l" : "";
}

const Ties kNoTies;

}  // namespace

Enqueuer::Enqueuer(ScriptCaller& caller, JobReader& jobs)
    : caller_(caller),
      jobs_(jobs),
      calls_(
          caller.reactor(),
          {limits::kScriptJobs, limits::kScriptBytes, caller.options().calls_in_flight},
          [](const Job& job) { return weight_of(job); },
          [this](Batch batch) {
              caller_.tell(StoreBatch::enqueue, batch.size());
              return send(std::move(batch));
          }) {}

task<Result<std::vector<Result<Enqueued>>>> Enqueuer::enqueue(std::vector<Job> jobs) {
    auto answers = co_await calls_.ask(std::move(jobs));
    co_return answers;
}

// Most jobs are new and wait in one list: those go together by `push`, one call for each list. What
// is scheduled goes by `enqueue`, which can say no. So does the whole batch when one in it has an
// idempotency key, ties or a jid that may be known: the order of a list is the order of the calls.
task<void> Enqueuer::send(Batch batch) {
    int64_t now = caller_.wall_ms();
    std::unordered_set<std::string_view> jids;
    jids.reserve(batch.size());
    bool can_repeat = false;
    for (const auto& entry : batch) {
        const Job& job = entry.item();
        can_repeat |= !job.idempotency_key.empty() || job.ties || job.may_be_known ||
                      !jids.insert(job.jid).second;
    }
    std::map<std::string, Batch> plain;
    Batch others;
    for (auto& entry : batch) {
        const Job& job = entry.item();
        if (can_repeat || job.run_at_ms > now) {
            others.push_back(std::move(entry));
        } else {
            plain[header_of(job.queue, job.priority)].push_back(std::move(entry));
        }
    }
    // All calls at once: Redis does them in one turn, with one fsync.
    Batch known;
    Gate calls(caller_.reactor());
    for (auto& [header, group] : plain)
        calls.spawn(send_push(header, std::move(group), &known));
    if (!others.empty()) calls.spawn(send_others(std::move(others)));
    co_await calls.close();
    if (!known.empty()) co_await send_others(std::move(known));
}

// The batch is added to `known` when the call stored nothing, as it met a jid that is live.
task<void> Enqueuer::send_push(std::string header, Batch batch, Batch* known) {
    Command args;
    args.add(int64_t(caller_.options().publish_hints)).add(header);
    for (const auto& entry : batch) {
        args.add(entry.item().jid).add(encode_job(entry.item(), false));
    }
    auto reply = co_await caller_.run(scripts::push, std::move(args));
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

task<void> Enqueuer::send_others(Batch batch) {
    int64_t now = caller_.wall_ms();
    Command args;
    args.add(now).add(now + limits::kIdempotencyWindowMs);
    args.add(int64_t(caller_.options().publish_hints)).add(int64_t(batch.size()));
    for (const auto& entry : batch) {
        const Job& job = entry.item();
        args.add(job.jid).add(encode_job(job, false)).add(header_of(job.queue, job.priority));
        int64_t due = job.run_at_ms > now ? job.run_at_ms : 0;
        args.add(due).add(job.idempotency_key);
        const Ties& ties = job.ties ? *job.ties : kNoTies;
        args.add(ties.words()).add(ties.lock);
        args.add(later_ms(std::max(now, job.run_at_ms), ties.lock_for_ms)).add(known_as(job));
    }
    auto reply = co_await caller_.run(scripts::enqueue, std::move(args), batch.size());
    if (!reply) {
        for (const auto& entry : batch)
            entry.answer(tl::unexpected<Error>(reply.error()));
        co_return;
    }

    std::vector<std::string> known;  // "!" and who has the key, or who has the jid
    Batch undecided;
    for (size_t i = 0; i < batch.size(); ++i) {
        const auto& entry = batch[i];
        bool all_stored = reply->kind != Reply::Kind::array;
        std::string code = all_stored ? "" : reply->at(i).text;
        State state = entry.item().run_at_ms > now ? State::scheduled : State::ready;
        if (code.empty()) {
            entry.answer(Enqueued{Enqueued::How::stored, entry.item().jid, state});
        } else if (code == "u") {
            entry.answer(fail(ErrorCode::not_unique, "Job not unique"));
        } else if (code == "b") {
            entry.answer(fail(ErrorCode::not_found, "No such batch " + entry.item().ties->bid));
        } else {
            known.push_back(code[0] == '!' ? code : entry.item().jid);
            undecided.push_back(entry);
        }
    }
    if (!undecided.empty()) co_await settle_known(std::move(undecided), std::move(known));
}

// `known`: of each "!" and who has its key, or who has its jid.
task<void> Enqueuer::settle_known(Batch batch, std::vector<std::string> known) {
    std::vector<bool> by_key;
    for (auto& jid : known) {
        by_key.push_back(jid[0] == '!');
        if (by_key.back()) jid.erase(0, 1);
    }
    auto views = co_await jobs_.get(known);
    Batch once_more;
    int64_t now = caller_.wall_ms();
    for (size_t i = 0; i < batch.size(); ++i) {
        const auto& entry = batch[i];
        const Job& job = entry.item();
        if (!views) {
            entry.answer(tl::unexpected<Error>(views.error()));
        } else if ((*views)[i] && by_key[i]) {
            entry.answer(answer_for_key(job, *(*views)[i]));
        } else if ((*views)[i]) {
            auto answer = answer_for_known(job, *(*views)[i], now);
            if (answer) {
                entry.answer(std::move(*answer));
                continue;
            }
            entry.asker->items[entry.index].may_be_known = false;
            once_more.push_back(entry);
        } else if (by_key[i]) {
            Enqueued existing{Enqueued::How::existing, known[i], State::succeeded};
            existing.forgotten = true;
            entry.answer(std::move(existing));
        } else {
            // It ended in between and left no record. The answer must not claim what was not
            // stored.
            entry.answer(fail(ErrorCode::unknown, "job " + job.jid + " was there and ended"));
        }
    }
    if (!once_more.empty()) co_await send_others(std::move(once_more));
}

}  // namespace jobq
