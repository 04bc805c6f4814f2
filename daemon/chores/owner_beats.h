// OwnerBeats: with other daemons on the same store, heartbeats for what this one holds, and an eye
// on theirs: owners that beat no more are dead, and what they hold is returned.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "daemon/chores/chore.h"

namespace jobq {

class OwnerBeats final : public Chore {
  public:
    using Chore::Chore;

  private:
    struct Seen {
        int64_t beat = -1;
        int64_t since_ms = 0;
    };

    task<void> run() override;
    // Also between the beats of all: who has just connected here is not dead elsewhere.
    task<void> beat_newcomers();
    task<void> beat_and_watch();

    std::unordered_map<std::string, Seen> seen_;
    std::set<std::string> beaten_;  // Faktory workers, by their owner's name in the store
    int64_t looked_ms_ = 0;         // at the owners, with an answer
};

}  // namespace jobq
