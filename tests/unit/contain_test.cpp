// What escapes a task ends that one alone: gates, loops that are kept, answers of a coalescer.
#include "core/async/contain.h"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "core/async/gate.h"
#include "core/store/coalescer.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// What was told while it is there.
struct Told {
    Told() {
        on_escape([this](const Escape& escape) {
            all.push_back(std::string(escape.part) + ": " + escape.what);
        });
    }

    ~Told() { on_escape({}); }

    std::vector<std::string> all;
};

task<void> throw_later(Reactor& reactor, int64_t ms) {
    sleep_for pause(reactor, ms);
    co_await pause;
    throw std::out_of_range("past the end");
}

task<void> throw_number() {
    throw 7;
    co_return;
}

task<void> close(Gate& gate) {
    co_await gate.close();
}

// Throws at its first turns, then waits to be told to end.
task<void> stumble(Reactor& reactor, int& starts, bool& over) {
    if (++starts < 3) throw std::runtime_error("turn " + std::to_string(starts));
    while (!over) {
        sleep_for pause(reactor, 10);
        co_await pause;
    }
}

using Asked = Coalescer<int, int>;

// Answers even items, and throws at 13.
task<void> send_some(Asked::Batch batch) {
    for (const auto& entry : batch) {
        if (entry.item() == 13) throw std::logic_error("unlucky");
        if (entry.item() % 2 == 0) entry.answer(entry.item());
    }
    co_return;
}

}  // namespace

TEST_CASE("what escapes a task in a gate ends that one, is told, and lets the gate close") {
    Told told;
    TestReactor reactor;
    Gate gate(reactor);
    bool over = false;
    int starts = 2;
    gate.spawn(throw_later(reactor, 5));
    gate.spawn(throw_number());
    gate.spawn(stumble(reactor, starts, over));
    CHECK(gate.inside() == 2);
    reactor.advance(6);
    CHECK(gate.inside() == 1);
    over = true;
    run_task(reactor, close(gate));
    CHECK(told.all == std::vector<std::string>{"task: an unknown exception", "task: past the end"});
}

TEST_CASE("a loop that is kept goes on after what escaped it, and ends with its gate") {
    Told told;
    TestReactor reactor;
    Gate gate(reactor);
    int starts = 0;
    bool over = false;
    gate.keep([&] { return stumble(reactor, starts, over); });
    reactor.advance(10'000);
    CHECK(starts == 3);
    CHECK(told.all == std::vector<std::string>{"task: turn 1", "task: turn 2"});
    over = true;
    run_task(reactor, close(gate));
    CHECK(starts == 3);
}

TEST_CASE("a loop that fails again and again does not keep its gate from closing") {
    Told told;
    TestReactor reactor;
    Gate gate(reactor);
    gate.keep([&] { return throw_later(reactor, 0); });
    reactor.advance(3'000);
    CHECK(told.all.size() >= 3);
    run_task(reactor, close(gate));
    CHECK(gate.inside() == 0);
}

TEST_CASE("of a call that failed within, each asker hears that nobody knows, and others go on") {
    Told told;
    TestReactor reactor;
    Asked asked(
        reactor, {10, 1'000, 1}, [](int) { return size_t(1); }, send_some);
    auto lost = run_task(reactor, asked.ask({2, 13, 4}));
    REQUIRE(lost.size() == 3);
    CHECK(lost[0].value() == 2);
    for (size_t i : {size_t(1), size_t(2)})
        CHECK(lost[i].error().code == ErrorCode::unknown);
    CHECK(told.all == std::vector<std::string>{"task: unlucky"});
    auto forgotten = run_task(reactor, asked.ask({6, 7}));
    CHECK(forgotten[0].value() == 6);
    CHECK(forgotten[1].error().code == ErrorCode::unknown);
    CHECK(run_task(reactor, asked.ask({8})).front().value() == 8);
}
