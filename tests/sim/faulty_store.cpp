// FaultyStore: the calls that other daemons are told of, or whose words are worth reading. See
// faulty_store.h.
#include "tests/sim/faulty_store.h"

#include <map>

namespace jobq::sim {
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

}  // namespace jobq::sim
