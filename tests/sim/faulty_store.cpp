// FaultyStore: see faulty_store.h.
#include "tests/sim/faulty_store.h"

#include <map>
#include <type_traits>

#include "tests/sim/relay_store.h"

namespace jobq::sim {
namespace {

// What a call came to, between the store and the daemon.
template <class T>
struct Outcome {
    std::optional<Result<T>> result;
    std::vector<std::string> ready;  // queues the reply names
};

// Queues that became ready by it, which other daemons are told of.
std::vector<std::string> promoted_queues(const Promoted& promoted) {
    std::vector<std::string> queues;
    for (const auto& [queue, count] : promoted.queues)
        queues.push_back(queue);
    return queues;
}

}  // namespace

template <class T>
task<Result<T>> FaultyStore::ask(std::string name, Call<T> call) {
    Slot<Result<T>> slot(reactor_);
    auto outcome = std::make_shared<Outcome<T>>();
    StoreLink::Command command;
    command.name = std::move(name);
    command.execute = [this, outcome, call] {
        store_.on_ready([outcome](const std::string& queue) { outcome->ready.push_back(queue); });
        outcome->result.emplace(at_once(call(store_)));
        store_.on_ready(nullptr);
        std::vector<std::string> hints = outcome->ready;
        if constexpr (std::is_same_v<T, Promoted>)
            if (*outcome->result) hints = promoted_queues(**outcome->result);
        for (const auto& queue : hints)
            if (hint_) hint_(queue);
    };
    command.answer = [this, outcome, slot] {
        slot.set(std::move(*outcome->result));
        for (const auto& queue : outcome->ready)
            if (on_ready_) on_ready_(queue);
    };
    command.fail = [slot](ErrorCode code) { slot.set(fail(code, "the link to the store")); };
    link_->send(std::move(command));
    co_return co_await slot;
}

namespace {

std::string some(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += " " + name;
    return text;
}

}  // namespace

task<Result<std::vector<Result<Enqueued>>>> FaultyStore::enqueue(std::vector<Job> jobs) {
    std::string name = "enqueue";
    std::map<std::string, bool> queues;
    for (const auto& job : jobs) {
        name += " " + job.jid;
        queues[job.run_at_ms > reactor_.wall_ms() ? "" : job.queue] = true;
    }
    auto hint = hint_;
    Call<std::vector<Result<Enqueued>>> call = [jobs, queues, hint](Store& store) {
        for (const auto& [queue, there] : queues)
            if (hint) hint(queue);
        return store.enqueue(jobs);
    };
    return ask(std::move(name), std::move(call));
}

task<Result<std::vector<Leased>>> FaultyStore::fetch(FetchRequest request) {
    std::string name = "fetch " + std::to_string(request.count) + " for " + request.owner + " as " +
                       request.token + " of" + some(request.queues);
    Call<std::vector<Leased>> call = [request](Store& store) { return store.fetch(request); };
    return ask(std::move(name), std::move(call));
}

task<Result<std::vector<Result<>>>> FaultyStore::finish(std::vector<Finish> batch) {
    std::string name = "finish";
    auto hint = hint_;
    for (const auto& one : batch)
        name += " " + one.jid + " move " + std::to_string(int(one.transition.move)) + " of " +
                one.owner + " " + one.token;
    Call<std::vector<Result<>>> call = [batch, hint](Store& store) {
        for (const auto& one : batch) {
            bool release = one.transition.move == Move::release;
            if (hint && (release || one.transition.at_ms != 0)) hint(release ? one.queue : "");
        }
        return store.finish(batch);
    };
    return ask(std::move(name), std::move(call));
}

task<Result<>> FaultyStore::beat(std::vector<std::string> owners) {
    Call<void> call = [owners](Store& store) { return store.beat(owners); };
    return ask("beat" + some(owners), std::move(call));
}

task<Result<std::vector<OwnerInfo>>> FaultyStore::owners() {
    Call<std::vector<OwnerInfo>> call = [](Store& store) { return store.owners(); };
    return ask("owners", std::move(call));
}

task<Result<std::vector<Leased>>> FaultyStore::take_over(std::string from, std::string to,
                                                         std::vector<LeaseName> some, int limit) {
    std::string name = "take over from " + from + " to " + to;
    for (const auto& one : some)
        name += " " + one.jid + " " + one.token;
    Call<std::vector<Leased>> call = [from, to, some, limit](Store& store) {
        return store.take_over(from, to, some, limit);
    };
    return ask(std::move(name), std::move(call));
}

task<Result<Promoted>> FaultyStore::promote(int64_t now_ms, int limit) {
    Call<Promoted> call = [now_ms, limit](Store& store) { return store.promote(now_ms, limit); };
    return ask("promote", std::move(call));
}

task<Result<>> FaultyStore::purge(int64_t now_ms) {
    Call<void> call = [now_ms](Store& store) { return store.purge(now_ms); };
    return ask("purge", std::move(call));
}

task<Result<std::vector<Result<Cancelled>>>> FaultyStore::cancel(std::vector<std::string> jids) {
    Call<std::vector<Result<Cancelled>>> call = [jids](Store& store) { return store.cancel(jids); };
    return ask("cancel" + some(jids), std::move(call));
}

task<Result<std::vector<std::string>>> FaultyStore::cancels() {
    Call<std::vector<std::string>> call = [](Store& store) { return store.cancels(); };
    return ask("cancels", std::move(call));
}

task<Result<std::vector<Result<>>>> FaultyStore::requeue(std::vector<std::string> jids,
                                                         bool revive) {
    Call<std::vector<Result<>>> call = [jids, revive](Store& store) {
        return store.requeue(jids, revive);
    };
    return ask("requeue" + some(jids), std::move(call));
}

task<Result<std::vector<Result<>>>> FaultyStore::remove(std::vector<std::string> jids) {
    Call<std::vector<Result<>>> call = [jids](Store& store) { return store.remove(jids); };
    return ask("remove" + some(jids), std::move(call));
}

task<Result<std::vector<Result<>>>> FaultyStore::kill(std::vector<std::string> jids) {
    Call<std::vector<Result<>>> call = [jids](Store& store) { return store.kill(jids); };
    return ask("kill" + some(jids), std::move(call));
}

task<Result<std::vector<Result<JobView>>>> FaultyStore::get(std::vector<std::string> jids) {
    Call<std::vector<Result<JobView>>> call = [jids](Store& store) { return store.get(jids); };
    return ask("get" + some(jids), std::move(call));
}

task<Result<ListPage>> FaultyStore::list(ListRequest request) {
    Call<ListPage> call = [request](Store& store) { return store.list(request); };
    return ask("list " + std::string(name(request.state)), std::move(call));
}

task<Result<std::vector<AttemptLog>>> FaultyStore::logs(std::string jid) {
    Call<std::vector<AttemptLog>> call = [jid](Store& store) { return store.logs(jid); };
    return ask("logs " + jid, std::move(call));
}

task<Result<StoreStats>> FaultyStore::stats() {
    Call<StoreStats> call = [](Store& store) { return store.stats(); };
    return ask("stats", std::move(call));
}

task<Result<QueuePage>> FaultyStore::queue_page(QueueRequest request) {
    Call<QueuePage> call = [request](Store& store) { return store.queue_page(request); };
    return ask("queues", std::move(call));
}

task<Result<FailedGroups>> FaultyStore::failed_groups() {
    Call<FailedGroups> call = [](Store& store) { return store.failed_groups(); };
    return ask("failed groups", std::move(call));
}

task<Result<bool>> FaultyStore::count_failed() {
    Call<bool> call = [](Store& store) { return store.count_failed(); };
    return ask("count failed", std::move(call));
}

task<Result<>> FaultyStore::pause(std::vector<std::string> queues, bool paused) {
    Call<void> call = [queues, paused](Store& store) { return store.pause(queues, paused); };
    return ask((paused ? "pause" : "resume") + some(queues), std::move(call));
}

task<Result<int64_t>> FaultyStore::clear(std::string queue, bool forget) {
    Call<int64_t> call = [queue, forget](Store& store) { return store.clear(queue, forget); };
    return ask("clear " + queue, std::move(call));
}

task<Result<>> FaultyStore::make_batch(BatchSpec spec) {
    Call<void> call = [spec](Store& store) { return store.make_batch(spec); };
    return ask("make batch " + spec.bid, std::move(call));
}

task<Result<>> FaultyStore::open_batch(std::string bid, bool open) {
    Call<void> call = [bid, open](Store& store) { return store.open_batch(bid, open); };
    return ask("open batch " + bid, std::move(call));
}

task<Result<BatchView>> FaultyStore::batch(std::string bid) {
    Call<BatchView> call = [bid](Store& store) { return store.batch(bid); };
    return ask("batch " + bid, std::move(call));
}

task<Result<bool>> FaultyStore::track(ProgressUpdate update) {
    Call<bool> call = [update](Store& store) { return store.track(update); };
    return ask("track " + update.jid, std::move(call));
}

task<Result<std::vector<Progress>>> FaultyStore::progress(std::vector<std::string> jids) {
    Call<std::vector<Progress>> call = [jids](Store& store) { return store.progress(jids); };
    return ask("progress" + some(jids), std::move(call));
}

task<Result<>> FaultyStore::flush() {
    Call<void> call = [](Store& store) { return store.flush(); };
    return ask("flush", std::move(call));
}

task<Result<std::vector<Result<Enqueued>>>> FaultyStore::bring_in(std::vector<Imported> jobs) {
    Call<std::vector<Result<Enqueued>>> call = [jobs](Store& store) {
        return store.bring_in(jobs);
    };
    return ask("bring in", std::move(call));
}

}  // namespace jobq::sim
