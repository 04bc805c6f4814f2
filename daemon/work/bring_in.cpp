// Broker: jobs of another store come in. See core/store/store.h, bring_in().
#include "core/base/time.h"
#include "daemon/observe/log.h"
#include "daemon/work/broker.h"

namespace jobq {

task<Result<std::vector<Result<Enqueued>>>> Broker::bring_in(std::vector<Imported> jobs) {
    std::vector<std::pair<std::string, std::string>> heads;  // queue, type
    std::vector<int64_t> due;
    for (const auto& one : jobs) {
        heads.emplace_back(one.job.queue, one.job.type);
        due.push_back(one.at_ms);
    }
    auto stored = co_await store_.bring_in(std::move(jobs));
    if (!stored) {
        note_unknown(stored.error());
        co_return stored;
    }
    Counts ready;
    int64_t count = 0;
    for (size_t i = 0; i < heads.size(); ++i) {
        const auto& result = (*stored)[i];
        if (!result || result->how != Enqueued::How::stored) continue;
        ++count;
        ++counted.enqueued;
        bool waits = result->state == State::scheduled || result->state == State::retrying;
        if (result->state == State::ready) ++ready[heads[i]];
        if (waits && on_due_) on_due_(due[i]);
    }
    notify(ready);
    if (count > 0) log(LogLevel::info, "job.imported", "", {{"jobs", count}});
    co_return stored;
}

}  // namespace jobq
