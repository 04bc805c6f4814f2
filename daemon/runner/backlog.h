// Backlog: jobs that were taken ahead and wait in the runner until their pool has a free slot, for
// a moment only. Held in the Hub, filled and emptied by the pools, named in every heartbeat.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/runner_messages.h"

namespace jobq {

class Backlog {
  public:
    // `now_ms` is the reactor's clock, `wall_ms` the wall clock.
    void push(const std::string& pool, TakenJob job, int64_t now_ms, int64_t wall_ms);
    // The pool's oldest.
    std::optional<TakenJob> pop(const std::string& pool);
    // All of the pool's jobs when the oldest came at `until_ms` or before: those behind it must not
    // run before it. Else none.
    std::vector<TakenJob> take_stale(const std::string& pool, int64_t until_ms);
    // An empty token fits any.
    std::optional<TakenJob> remove(const std::string& jid, const std::string& token);

    bool empty() const { return entries_.empty(); }

    int count(const std::string& pool) const;
    void list_running(std::vector<RunningJob>& into) const;

  private:
    struct Entry {
        std::string pool;
        TakenJob job;
        int64_t since_ms, taken_wall_ms;
    };

    std::list<Entry> entries_;  // oldest first
};

}  // namespace jobq
