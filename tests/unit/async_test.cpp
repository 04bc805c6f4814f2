// core/async: tasks, slots, signals and gates keep their promises, in every order of what is ready.
#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>

#include "core/async/gate.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

task<int> one() {
    co_return 1;
}

task<int64_t> sum_of_ones(int64_t count) {
    int64_t sum = 0;
    for (int64_t i = 0; i < count; ++i)
        sum += co_await one();
    co_return sum;
}

task<int> nested(int depth) {
    if (depth == 0) co_return 0;
    int below = co_await nested(depth - 1);
    co_return below + 1;
}

task<int> throws_late(Reactor& reactor) {
    co_await sleep_for(reactor, 5);
    throw std::runtime_error("late");
}

task<int> passes_on(Reactor& reactor) {
    int value = co_await throws_late(reactor);
    co_return value;
}

task<std::unique_ptr<int>> moves_only() {
    co_return std::make_unique<int>(7);
}

task<void> waits(Signal& signal, int64_t limit_ms, std::string& log, char yes, char no) {
    auto wait = signal.wait(limit_ms);
    bool notified = co_await wait;
    log += notified ? yes : no;
}

task<void> sets_after(Reactor& reactor, Slot<int> slot, int64_t ms, int value) {
    co_await sleep_for(reactor, ms);
    slot.set(value);
}

task<int> takes(Slot<int> slot) {
    int value = co_await slot;
    co_return value;
}

task<void> sleeps(Reactor& reactor, int64_t ms, int& done) {
    co_await sleep_for(reactor, ms);
    ++done;
}

task<void> closes(Gate& gate, bool& closed) {
    co_await gate.close();
    closed = true;
}

}  // namespace

TEST_CASE("100,000 awaits that do not suspend take no stack") {
    TestReactor reactor;
    CHECK(run_task(reactor, sum_of_ones(100'000)) == 100'000);
}

TEST_CASE("tasks nest deeply") {
    TestReactor reactor;
    CHECK(run_task(reactor, nested(1'000)) == 1'000);
}

TEST_CASE("a task that is never awaited never starts") {
    int done = 0;
    TestReactor reactor;
    { auto unused = sleeps(reactor, 0, done); }
    reactor.advance(10);
    CHECK(done == 0);
    CHECK(reactor.timers() == 0);
}

TEST_CASE("an exception passes through tasks to the one who awaits") {
    TestReactor reactor;
    CHECK_THROWS_WITH(run_task(reactor, passes_on(reactor)), "late");
}

TEST_CASE("a task hands over values that can only be moved") {
    TestReactor reactor;
    CHECK(*run_task(reactor, moves_only()) == 7);
}

TEST_CASE("a slot gives its first value, whoever comes first") {
    TestReactor reactor;
    Slot<int> early(reactor);
    early.set(1);
    early.set(2);
    CHECK(run_task(reactor, takes(early)) == 1);

    Slot<int> late(reactor);
    spawn(sets_after(reactor, late, 10, 3));
    spawn(sets_after(reactor, late, 20, 4));
    CHECK(run_task(reactor, takes(late)) == 3);
    reactor.advance(20);
}

TEST_CASE("sleep_for wakes at its time and not before") {
    TestReactor reactor;
    int done = 0;
    spawn(sleeps(reactor, 10, done));
    reactor.advance(9);
    CHECK(done == 0);
    reactor.advance(1);
    CHECK(done == 1);
}

TEST_CASE("notify_one wakes the longest waiting, notify_all all the others") {
    TestReactor reactor;
    Signal signal(reactor);
    std::string log;
    spawn(waits(signal, -1, log, 'a', 'x'));
    spawn(waits(signal, 100, log, 'b', 'x'));
    spawn(waits(signal, -1, log, 'c', 'x'));
    CHECK(signal.notify_one());
    reactor.run_until_idle();
    CHECK(log == "a");
    signal.notify_all();
    reactor.run_until_idle();
    CHECK(log == "abc");
    CHECK_FALSE(signal.notify_one());
    CHECK(reactor.timers() == 0);
}

TEST_CASE("a wait ends by itself at its limit, and never waits with a limit of 0") {
    TestReactor reactor;
    Signal signal(reactor);
    std::string log;
    spawn(waits(signal, 0, log, 'y', 'n'));
    CHECK(log == "n");
    spawn(waits(signal, 10, log, 'y', 't'));
    reactor.advance(9);
    CHECK(log == "n");
    reactor.advance(1);
    CHECK(log == "nt");
    CHECK_FALSE(signal.has_waiters());
}

TEST_CASE("a signal that goes away wakes those who wait") {
    TestReactor reactor;
    std::string log;
    {
        Signal signal(reactor);
        spawn(waits(signal, -1, log, 'y', 'n'));
    }
    reactor.run_until_idle();
    CHECK(log == "y");
}

TEST_CASE("a notify and a limit that meet wake the waiter once") {
    for (uint64_t seed = 1; seed <= 200; ++seed) {
        TestReactor reactor(seed);
        Signal signal(reactor);
        std::string log;
        for (int i = 0; i < 5; ++i)
            spawn(waits(signal, 10, log, 'y', 'n'));
        int notified = 0;
        for (int i = 0; i < 3; ++i)
            reactor.after(10, [&] { notified += signal.notify_one() ? 1 : 0; });
        reactor.advance(20);
        INFO("seed " << seed << ", log " << log);
        REQUIRE(log.size() == 5);
        REQUIRE(std::count(log.begin(), log.end(), 'y') == notified);
        REQUIRE(reactor.timers() == 0);
    }
}

TEST_CASE("a gate closes when the last one inside has left, and lets nobody in after") {
    TestReactor reactor;
    Gate gate(reactor);
    int done = 0;
    bool closed = false;
    gate.spawn(sleeps(reactor, 10, done));
    gate.spawn(sleeps(reactor, 30, done));
    CHECK(gate.inside() == 2);
    spawn(closes(gate, closed));
    gate.spawn(sleeps(reactor, 1, done));
    reactor.advance(29);
    CHECK(done == 1);
    CHECK_FALSE(closed);
    reactor.advance(1);
    CHECK(done == 2);
    CHECK(closed);
    CHECK(gate.closed());
}

TEST_CASE("an empty gate closes at once") {
    TestReactor reactor;
    Gate gate(reactor);
    bool closed = false;
    spawn(closes(gate, closed));
    CHECK(closed);
}

TEST_CASE("the test reactor fires timers in order of time and forgets cancelled ones") {
    TestReactor reactor;
    std::string log;
    reactor.after(20, [&] { log += 'c'; });
    reactor.after(10, [&] { log += 'a'; });
    TimerId gone = reactor.after(15, [&] { log += 'x'; });
    reactor.after(10, [&] {
        log += 'b';
        reactor.defer([&] { log += 'd'; });
    });
    reactor.cancel(gone);
    reactor.cancel(0);
    int64_t before = reactor.now_ms();
    reactor.advance(25);
    CHECK(log == "abdc");
    CHECK(reactor.now_ms() == before + 25);
}
