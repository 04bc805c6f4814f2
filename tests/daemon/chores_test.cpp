// Chores: they may be started and stopped in any order, any number of times.
#include "daemon/chores/chores.h"

#include <catch2/catch.hpp>

#include "tests/support/memory_store.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

struct Rig {
    explicit Rig(bool shared)
        : store(reactor),
          events(reactor),
          workers(reactor),
          broker(reactor, store, events, workers, std::make_shared<Config>()),
          chores(broker, shared) {}

    // The coroutines that wait: each chore's own one.
    int waiting() {
        reactor.advance(10);
        int count = 0;
        reactor.waits().each([&](const WaitNode&) { ++count; });
        return count;
    }

    TestReactor reactor;
    MemoryStore store;
    Events events;
    Workers workers;
    Broker broker;
    Chores chores;
};

}  // namespace

TEST_CASE("a second start or stop of the chores does nothing") {
    for (bool shared : {false, true}) {
        Rig rig(shared);
        rig.chores.start();
        CHECK(rig.waiting() == (shared ? 5 : 4));
        rig.chores.start();
        CHECK(rig.waiting() == (shared ? 5 : 4));
        run_task(rig.reactor, rig.chores.stop());
        CHECK(rig.waiting() == 0);
        run_task(rig.reactor, rig.chores.stop());
        rig.chores.start();
        CHECK(rig.waiting() == 0);
    }
}

TEST_CASE("chores that were not started may be stopped, and begin nothing after that") {
    Rig rig(true);
    run_task(rig.reactor, rig.chores.stop());
    rig.chores.start();
    rig.chores.look_now();
    CHECK(rig.waiting() == 0);
}
