#include "daemon/chores/chores.h"

namespace jobq {

Chores::Chores(Broker& broker, bool shared_store)
    : reactor_(broker.reactor()),
      promoter_(broker, shared_store),
      reaper_(broker, shared_store),
      beats_(broker),
      purger_(broker),
      output_keeper_(broker),
      all_{&promoter_, &reaper_, &purger_, &output_keeper_} {
    if (shared_store) all_.push_back(&beats_);
}

void Chores::start() {
    for (Chore* chore : all_)
        chore->start();
}

// All are told before one is waited for.
task<void> Chores::stop() {
    Gate ends(reactor_);
    for (Chore* chore : all_)
        ends.spawn(chore->stop());
    co_await ends.close();
}

}  // namespace jobq
