// UvReactor's timers when they are due before the loop polls.
// A hang here is a lost wake-up in UvReactor::run().
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/async/contain.h"
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

TEST_CASE("what escapes a timer or another plain call of the loop ends that call alone") {
    std::vector<std::string> told;
    on_escape([&](const Escape& escape) {
        told.push_back(std::string(escape.part) + ", " + escape.context + ": " + escape.what);
    });
    UvReactor reactor;
    const auto fails = [] { throw std::runtime_error("none"); };
    int went_on = 0;
    reactor.after(0, fails);
    reactor.after(0, [&] { ++went_on; });
    reactor.defer([] { throw 7; });
    reactor.defer([&] { ++went_on; });
    reactor.post_from_thread(fails);
    reactor.post_from_thread([&] { ++went_on; });
    reactor.after(1, [&] { reactor.stop(); });
    reactor.run();
    on_escape({});
    CHECK(went_on == 3);
    CHECK(told == std::vector<std::string>{"loop, a thread's call: none", "loop, a timer: none",
                                           "loop, a deferred call: an unknown exception"});
}
