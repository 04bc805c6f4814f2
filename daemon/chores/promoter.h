// Promoter: due jobs become ready, by a timer for the next due time, without polling. A slow look
// is the safety net when other daemons share the store.
#pragma once

#include "daemon/chores/chore.h"

namespace jobq {

class Promoter final : public Chore {
  public:
    // `shared_store`: other daemons may use it too.
    Promoter(Broker& broker, bool shared_store);

    // The store is reachable again.
    void look_now() { schedule_.look_now(); }

  private:
    task<void> run() override;

    const bool shared_store_;
    Schedule& schedule_;
};

}  // namespace jobq
