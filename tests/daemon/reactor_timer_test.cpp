// UvReactor's timers when they are due before the loop polls.
// A hang here is a lost wake-up in UvReactor::run().
#include <catch2/catch.hpp>

#include "daemon/loop/uv_reactor.h"

using namespace jobq;

TEST_CASE("a timer that is due before the loop polls does not leave it asleep") {
    // An idle loop with nothing but timers of no delay: a lost one would hang the test.
    UvReactor reactor;
    int fired = 0;
    std::function<void()> again = [&] {
        if (++fired == 400) {
            reactor.stop();
        } else {
            reactor.after(fired % 2, again);
        }
    };
    reactor.after(0, again);
    reactor.run();
    CHECK(fired == 400);
}
