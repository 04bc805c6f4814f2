// Promoter: due jobs become ready, by a timer for the next due time, without polling. A slow look
// is the safety net when other daemons share the store.
#pragma once

#include "daemon/chores/chore.h"

namespace jobq {

class Promoter final : public Chore {
  public:
    // `shared_store`: other daemons may use it too.
    Promoter(Broker& broker, bool shared_store);
    ~Promoter() override;

    // The store is reachable again.
    void look_now();

  private:
    task<void> run() override;
    void note_due(int64_t at_wall_ms);

    const bool shared_store_;
    int64_t due_wall_ms_ = 1;  // of the next job that becomes due; 1: look now, 0: none
};

}  // namespace jobq
