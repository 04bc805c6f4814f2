// The list of running jobs; see run_table.h. Linear on purpose: a runner has tens of slots.
// Must stay true: a run is destroyed from the loop, never while it is on the call stack.
#include "daemon/runner/run_table.h"

#include <algorithm>

namespace jobq {

void RunTable::add(std::unique_ptr<JobRun> run, const std::string& pool) {
    entries_.push_back({std::move(run), pool});
}

void RunTable::remove(const JobRun& run) {
    auto is_it = [&](const Entry& entry) { return entry.run.get() == &run; };
    auto found = std::find_if(entries_.begin(), entries_.end(), is_it);
    if (found == entries_.end()) return;
    std::shared_ptr<JobRun> last(std::move(found->run));
    entries_.erase(found);
    reactor_.defer([last] {});
}

JobRun* RunTable::find(const std::string& jid, const std::string& token) const {
    for (const auto& entry : entries_) {
        const TakenJob& job = entry.run->job();
        if (job.jid == jid && (token.empty() || job.token == token)) return entry.run.get();
    }
    return nullptr;
}

int RunTable::count(const std::string& pool) const {
    auto in_it = [&](const Entry& entry) { return entry.pool == pool; };
    return int(std::count_if(entries_.begin(), entries_.end(), in_it));
}

void RunTable::each(const std::function<void(JobRun&)>& visit) const {
    for (const auto& entry : entries_)
        visit(*entry.run);
}

int64_t RunTable::longest_grace_ms() const {
    int64_t longest = 0;
    for (const auto& entry : entries_)
        longest = std::max(longest, entry.run->grace_ms());
    return longest;
}

void RunTable::stop_all(StopReason reason) const {
    each([reason](JobRun& run) { run.stop(reason); });
}

void RunTable::kill_all(StopReason reason) const {
    each([reason](JobRun& run) { run.kill(reason); });
}

}  // namespace jobq
