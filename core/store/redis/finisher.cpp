#include "core/store/redis/finisher.h"

#include <map>
#include <unordered_set>

#include "core/job/codec.h"
#include "core/store/link/scripts.h"
#include "core/store/redis/cause_args.h"

namespace jobq {
namespace {

size_t weight_of(const Finish& finish) {
    return finish.final.result.size() + finish.log.size() + 128;
}

bool is_failure(const Finish& finish) {
    if (finish.transition.move == Move::drop) return true;
    return finish.transition.move == Move::retry || finish.transition.move == Move::dead;
}

std::string counter_of(const Finish& finish) {
    switch (finish.transition.move) {
        case Move::succeed:
            return "succeeded";
        case Move::drop:
            return finish.final.state == State::expired ? "expired" : "dropped";
        default:
            return "cancelled";
    }
}

std::string set_of(Move move) {
    return move == Move::dead ? "dead" : move == Move::snooze ? "scheduled" : "retrying";
}

bool is_done(Move move) {
    return move == Move::succeed || move == Move::drop || move == Move::cancel;
}

std::string group_key(const Finish& finish, int64_t now) {
    std::string key = finish.owner + '\n' + std::to_string(int(finish.transition.move)) + '\n';
    if (finish.transition.move == Move::release) return key;  // keeps no record: no bucket
    if (is_done(finish.transition.move)) key += counter_of(finish) + '\n';
    return key + std::to_string(bucket_second(now, finish.retention_ms));
}

// Jobs that are dropped leave nothing behind.
bool keeps_record(const Finish& finish) {
    return finish.transition.move != Move::drop || finish.final.state == State::expired;
}

void add_deferred(Command& args, const Finish& finish, int64_t now) {
    int64_t score = finish.transition.move == Move::dead ? now : finish.transition.at_ms;
    args.add(finish.jid).add(finish.token);
    args.add(member_of(finish.queue, finish.priority, finish.jid)).add(score);
    args.add(encode_record(finish.transition.record)).add(finish.attempt).add(finish.log);
    if (finish.transition.move == Move::snooze) {
        args.add("").add("");  // it did not fail
    } else {
        add_cause(args, finish.type, finish.transition.record);
    }
}

// Behind the others: the jobs that are enqueued with these ends.
template <class Batch>
void add_follows(Command& args, const Batch& group) {
    for (size_t i = 0; i < group.size(); ++i) {
        const auto& follow = group[i].item().follow;
        if (!follow) continue;
        args.add(int64_t(i + 1)).add(member_of(follow->queue, follow->priority, follow->jid));
        args.add(encode_job(*follow, false));
    }
}

std::string log_field(const std::string& jid, int attempt) {
    return jid + "/" + std::to_string(attempt);
}

Result<bool> answer_of(int64_t code, const std::string& jid) {
    if (code == 0) return true;
    if (code == -2) return fail(ErrorCode::cancelled, "job " + jid + " is being cancelled");
    return fail(ErrorCode::lease_lost, "the lease of job " + jid + " is no longer valid");
}

}  // namespace

Finisher::Finisher(ScriptCaller& caller)
    : caller_(caller),
      calls_(
          caller.reactor(),
          {limits::kScriptJobs, limits::kScriptBytes, caller.options().calls_in_flight},
          [](const Finish& finish) { return weight_of(finish); },
          [this](Batch batch) {
              caller_.tell(StoreBatch::finish, batch.size());
              return send(std::move(batch));
          }) {}

task<Result<std::vector<Result<>>>> Finisher::finish(std::vector<Finish> batch) {
    auto answers = co_await calls_.ask(std::move(batch));
    std::vector<Result<>> results;
    results.reserve(answers.size());
    for (auto& answer : answers) {
        if (answer) {
            results.emplace_back();
        } else {
            results.emplace_back(tl::unexpected<Error>(std::move(answer.error())));
        }
    }
    co_return results;
}

task<void> Finisher::send(Batch batch) {
    int64_t now = caller_.wall_ms();
    std::map<std::string, Batch> groups;
    std::unordered_set<std::string_view> jids;
    jids.reserve(batch.size());
    for (auto& entry : batch) {
        const Finish& finish = entry.item();
        if (jids.insert(finish.jid).second) {
            groups[group_key(finish, now)].push_back(std::move(entry));
        } else {
            entry.answer(answer_of(-1, finish.jid));  // the first one ends the lease
        }
    }
    Gate calls(caller_.reactor());
    for (auto& [key, group] : groups)
        calls.spawn(send_group(std::move(group), now));
    co_await calls.close();
}

const Script& Finisher::ending_of(const Batch& group, int64_t now, Command* args) const {
    const Finish& first = group.front().item();
    const Move move = first.transition.move;
    const std::string second = std::to_string(bucket_second(now, first.retention_ms));
    args->add(first.owner);
    if (is_done(move)) {
        args->add(counter_of(first))
            .add(int64_t(is_failure(first) && counter_of(first) == "dropped"));
        args->add("done:" + second).add("log:" + second).add(int64_t(keeps_record(first)));
        args->add(now);
        add_done(*args, group);
        return scripts::done;
    }
    if (move == Move::release) {
        args->add(int64_t(caller_.options().publish_hints)).add(now).add(int64_t(group.size()));
        for (const auto& entry : group) {
            const Finish& finish = entry.item();
            args->add(finish.jid).add(finish.token);
            args->add(header_of(finish.queue, finish.priority));
        }
        return scripts::release;
    }
    args->add(set_of(move)).add(int64_t(is_failure(first)));
    args->add(int64_t(caller_.options().publish_hints)).add("log:" + second).add(now);
    args->add(int64_t(group.size()));
    for (const auto& entry : group)
        add_deferred(*args, entry.item(), now);
    add_follows(*args, group);
    return scripts::defer;
}

void Finisher::add_done(Command& args, const Batch& group) {
    int64_t logs = 0;
    for (const auto& entry : group)
        logs += int64_t(!entry.item().log.empty());
    args.add(int64_t(group.size())).add(logs);
    for (const auto& entry : group) {
        const Finish& finish = entry.item();
        args.add(finish.jid);
        args.add(keeps_record(finish) ? encode_final(finish.final) : std::string());
    }
    for (const auto& entry : group)
        args.add(entry.item().token);
    for (size_t i = 0; i < group.size(); ++i) {
        const Finish& finish = group[i].item();
        if (finish.log.empty()) continue;
        args.add(int64_t(i + 1)).add(log_field(finish.jid, finish.attempt)).add(finish.log);
    }
    add_follows(args, group);
}

task<void> Finisher::send_group(Batch group, int64_t now) {
    Command args;
    const Script& ending = ending_of(group, now, &args);
    auto reply = co_await caller_.run(ending, std::move(args), group.size());
    if (!reply && reply.error().code == ErrorCode::internal && group.size() > 1) {
        // One of them may be the reason: it is found, and the others do not wait for it for ever.
        const auto middle = group.begin() + long(group.size() / 2);
        Batch behind(middle, group.end());
        group.erase(middle, group.end());
        co_await send_group(std::move(group), now);
        co_await send_group(std::move(behind), now);
        co_return;
    }
    for (size_t i = 0; i < group.size(); ++i) {
        if (!reply) {
            group[i].answer(tl::unexpected<Error>(reply.error()));
            continue;
        }
        const bool rows = reply->kind == Reply::Kind::array;
        int64_t code = rows ? integer_of(reply->at(i)) : 0;
        group[i].answer(answer_of(code, group[i].item().jid));
    }
    if (reply) caller_.tell_ready(*reply, group.size());
    std::vector<std::string> over;
    for (const auto& entry : group)
        if (reply && entry.item().transition.move != Move::release)
            over.push_back(entry.item().jid);
    std::string word(kEndHint);
    co_await caller_.hint(std::move(word), std::move(over));
}

}  // namespace jobq
