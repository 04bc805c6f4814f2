// What the clients of a chaos run did, gathered from their threads.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/chaos/checker.h"

namespace jobq::chaos {

class History {
  public:
    // Before the call that may make it.
    void add_job(const std::string& jid, JobSpec spec) {
        const std::lock_guard lock(mutex_);
        jobs_.emplace(jid, std::move(spec));
    }

    // What may become of it is known better by now.
    void set_attempts(const std::string& jid, int most) {
        const std::lock_guard lock(mutex_);
        jobs_.at(jid).max_attempts = most;
    }

    void add(Call call) {
        const std::lock_guard lock(mutex_);
        if (call.kind == Call::Kind::enqueue && call.outcome == Outcome::ok) ++acknowledged_;
        calls_.push_back(std::move(call));
    }

    // Many of each at once.
    void add_jobs(std::vector<std::pair<std::string, JobSpec>> jobs) {
        const std::lock_guard lock(mutex_);
        for (auto& [jid, spec] : jobs)
            jobs_.emplace(std::move(jid), std::move(spec));
    }

    void add_calls(std::vector<Call> calls) {
        const std::lock_guard lock(mutex_);
        for (auto& call : calls) {
            if (call.kind == Call::Kind::enqueue && call.outcome == Outcome::ok) ++acknowledged_;
            calls_.push_back(std::move(call));
        }
    }

    // "remote-17": not used before in this run.
    std::string fresh(const std::string& prefix) { return prefix + std::to_string(++last_); }

    int64_t acknowledged() const { return acknowledged_; }

    void add_unanswered_fetch() { ++unanswered_fetches_; }

    int64_t unanswered_fetches() const { return unanswered_fetches_; }

    // Once every thread that adds has ended.
    const std::map<std::string, JobSpec>& jobs() const { return jobs_; }

    const std::vector<Call>& calls() const { return calls_; }

  private:
    std::mutex mutex_;
    std::map<std::string, JobSpec> jobs_;
    std::vector<Call> calls_;
    std::atomic<int64_t> last_ = 100'000'000, acknowledged_ = 0, unanswered_fetches_ = 0;
};

}  // namespace jobq::chaos
