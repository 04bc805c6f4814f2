// RunTable: the runs that are going on, whatever pool started them. Owns them; an ended run leaves
// the table at once and is destroyed a moment later, since it may be on the call stack.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "daemon/loop/uv_reactor.h"
#include "daemon/runner/job_run.h"

namespace jobq {

class RunTable {
  public:
    explicit RunTable(UvReactor& reactor) : reactor_(reactor) {}

    void add(std::unique_ptr<JobRun> run, const std::string& pool);
    void remove(const JobRun& run);
    // Null when there is none. An empty token fits any.
    JobRun* find(const std::string& jid, const std::string& token) const;

    bool empty() const { return entries_.empty(); }

    int count(const std::string& pool) const;
    // `visit` may stop or kill a run, not remove one.
    void each(const std::function<void(JobRun&)>& visit) const;
    // Of all that run; 0 when nothing does.
    int64_t longest_grace_ms() const;
    void stop_all(StopReason reason) const;
    void kill_all(StopReason reason) const;

  private:
    struct Entry {
        std::unique_ptr<JobRun> run;
        std::string pool;
    };

    UvReactor& reactor_;
    std::list<Entry> entries_;
};

}  // namespace jobq
