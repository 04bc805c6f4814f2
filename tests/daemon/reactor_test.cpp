// The loop's promises: order of ready and deferred work, timers that are never early, work from
// other threads, signals.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/loop/fd_watch.h"
#include "daemon/loop/signals.h"
#include "tests/daemon/on_loop.h"

using namespace jobq;
using namespace jobq::test;

namespace {

task<void> note_when_notified(Signal& signal, std::vector<int>& notes, int number) {
    auto wait = signal.wait(-1);
    co_await wait;
    notes.push_back(number);
}

task<int64_t> measured_sleep_us(UvReactor& reactor, int64_t ms) {
    timespec before{}, after{};
    clock_gettime(CLOCK_MONOTONIC, &before);
    sleep_for pause(reactor, ms);
    co_await pause;
    clock_gettime(CLOCK_MONOTONIC, &after);
    co_return int64_t(after.tv_sec - before.tv_sec) * 1'000'000 +
        (after.tv_nsec - before.tv_nsec) / 1'000;
}

task<int64_t> shortest_sleep_beyond_us(UvReactor& reactor, int rounds) {
    int64_t least = INT64_MAX;
    for (int n = 0; n < rounds; ++n) {
        int64_t ms = n % 4;
        int64_t took = co_await measured_sleep_us(reactor, ms);
        least = std::min(least, took - ms * 1'000);
    }
    co_return least;
}

}  // namespace

TEST_CASE("timers are never early, not by a microsecond") {
    UvReactor reactor;
    CHECK(on_loop(reactor, shortest_sleep_beyond_us(reactor, 200)) >= 0);
}

TEST_CASE("timers fire in the order of their times, equal ones in the order they were set") {
    UvReactor reactor;
    std::vector<int> fired;
    reactor.after(20, [&] { fired.push_back(3); });
    reactor.after(5, [&] { fired.push_back(1); });
    reactor.after(5, [&] { fired.push_back(2); });
    TimerId never = reactor.after(1, [&] { fired.push_back(9); });
    reactor.cancel(never);
    reactor.cancel(never);
    reactor.cancel(0);
    reactor.after(30, [&] { reactor.stop(); });
    reactor.run();
    CHECK(fired == std::vector<int>{1, 2, 3});
}

TEST_CASE("a timer that sets itself again at zero does not keep the loop from its sockets") {
    UvReactor reactor;
    int rounds = 0;
    std::function<void()> again = [&] {
        ++rounds;
        reactor.after(0, again);
    };
    again();
    std::thread other([&] { reactor.post_from_thread([&] { reactor.stop(); }); });
    reactor.run();
    other.join();
    CHECK(rounds > 0);
}

TEST_CASE("what is deferred runs after what is ready, in order, in the same turn") {
    UvReactor reactor;
    std::vector<int> notes;
    Signal signal(reactor);
    spawn(note_when_notified(signal, notes, 1));
    spawn(note_when_notified(signal, notes, 2));
    reactor.defer([&] { notes.push_back(10); });
    reactor.defer([&] {
        notes.push_back(11);
        reactor.defer([&] { notes.push_back(12); });
    });
    signal.notify_all();
    reactor.after(20, [&] { reactor.stop(); });
    reactor.run();
    CHECK(notes == std::vector<int>{1, 2, 10, 11, 12});
}

TEST_CASE("work posted from other threads is all done, on the loop's thread") {
    UvReactor reactor;
    constexpr int kThreads = 4, kEach = 5'000;
    int done = 0;
    bool foreign = false;
    auto loop_thread = std::this_thread::get_id();
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
        threads.emplace_back([&] {
            for (int n = 0; n < kEach; ++n)
                reactor.post_from_thread([&] {
                    foreign = foreign || std::this_thread::get_id() != loop_thread;
                    if (++done == kThreads * kEach) reactor.stop();
                });
        });
    reactor.run();
    for (auto& thread : threads)
        thread.join();
    CHECK(done == kThreads * kEach);
    CHECK_FALSE(foreign);
}

TEST_CASE("an idle loop sleeps") {
    UvReactor reactor;
    timespec before{}, after{};
    reactor.after(300, [&] { reactor.stop(); });
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    reactor.run();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    int64_t cpu_us = int64_t(after.tv_sec - before.tv_sec) * 1'000'000 +
                     (after.tv_nsec - before.tv_nsec) / 1'000;
    CHECK(cpu_us < 50'000);
}

TEST_CASE("a long turn is seen as lag, once") {
    UvReactor reactor;
    reactor.after(0, [&] {
        int64_t until = reactor.now_ms() + 30;
        while (reactor.now_ms() < until) {
        }
        reactor.stop();
    });
    reactor.run();
    CHECK(reactor.take_longest_turn_ms() >= 29);
    CHECK(reactor.take_longest_turn_ms() == 0);
}

TEST_CASE("signals arrive in the loop, at every watch, until it is gone") {
    UvReactor reactor;
    int first = 0, second = 0;
    auto one = on_signal(reactor, SIGUSR2, [&] { ++first; });
    auto two = on_signal(reactor, SIGUSR2, [&] { ++second; });
    reactor.defer([] { ::kill(::getpid(), SIGUSR2); });
    CHECK(on_loop(reactor, until(reactor, [&] { return first == 1 && second == 1; })));
    one.reset();
    reactor.defer([] { ::kill(::getpid(), SIGUSR2); });
    CHECK(on_loop(reactor, until(reactor, [&] { return second == 2; })));
    CHECK(first == 1);
}

TEST_CASE("a watched descriptor calls nobody who went in the same turn") {
    UvReactor reactor;
    int pipes[2][2];
    std::unique_ptr<FdWatch> watches[2];
    int calls = 0;
    for (int i : {0, 1}) {
        REQUIRE(pipe(pipes[i]) == 0);
        REQUIRE(write(pipes[i][1], "x", 1) == 1);
        // Both are readable at once: whichever is called first destroys the other, and itself.
        watches[i] = std::make_unique<FdWatch>(reactor, pipes[i][0], [&] {
            ++calls;
            watches[0].reset();
            watches[1].reset();
        });
    }
    reactor.after(20, [&] { reactor.stop(); });
    reactor.run();
    CHECK(calls == 1);
    for (auto& ends : pipes)
        for (int fd : ends)
            close(fd);
}
