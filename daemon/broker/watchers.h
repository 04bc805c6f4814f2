// Watchers: who waits for news of a job. JobWatch is one of them.
//
// Must stay true: a watch is known for each of its jids from its making to its end, and for no
// other; a jid that nobody watches takes no memory.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/async/task.h"
#include "core/async/wait.h"

namespace jobq {

class JobWatch;

class Watchers {
  public:
    explicit Watchers(Reactor& reactor) : reactor_(reactor) {}

    // Those who watch it look again: it may have changed.
    void changed(const std::string& jid);
    // Until it changes, or the limit: a hint to look again, nothing more.
    task<void> wait_for(std::string jid, int64_t limit_ms);

    size_t watched() const { return watches_.size(); }

  private:
    friend class JobWatch;

    Reactor& reactor_;
    std::unordered_map<std::string, std::vector<JobWatch*>> watches_;  // by jid
};

// Some jobs, and which of them may have changed since it was last asked. Hints to look again,
// nothing more. Ends before its Watchers do.
class JobWatch {
  public:
    JobWatch(Watchers& watchers, std::vector<std::string> jids);
    ~JobWatch();
    JobWatch(const JobWatch&) = delete;

    // Until one changes, or the limit.
    task<void> wait(int64_t limit_ms);

    std::set<std::string> take_changed() { return std::exchange(changed_, {}); }

  private:
    friend class Watchers;

    Watchers& watchers_;
    std::vector<std::string> jids_;
    std::set<std::string> changed_;
    Signal signal_;
};

}  // namespace jobq
