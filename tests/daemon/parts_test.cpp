// The parts of the daemon keep to what Part says of them all, wherever a start is cut.
#include "daemon/app/parts.h"

#include "tests/daemon/nest.h"
#include "tests/daemon/on_loop.h"

using namespace jobq;
using namespace jobq::test;

namespace {

task<bool> start_some(std::vector<Part*> parts) {
    for (Part* part : parts) {
        auto started = co_await part->start();
        if (!started) co_return false;
    }
    co_return true;
}

task<void> drain_all(UvReactor& reactor, std::vector<Part*> order, Ending ending) {
    Gate ends(reactor);
    for (auto part = order.rbegin(); part != order.rend(); ++part)
        ends.spawn((*part)->drain(ending));
    co_await ends.close();
}

task<void> stop_all(std::vector<Part*> order, Ending ending) {
    for (auto part = order.rbegin(); part != order.rend(); ++part)
        co_await (*part)->stop(ending);
}

// The first `count` of them are started, then all are drained and stopped, twice.
void start_and_stop(const Nest& nest, size_t count) {
    Loaded loaded = load_for(nest.options());
    REQUIRE(loaded.errors.empty());
    auto places = make_places(loaded.config);
    REQUIRE(places);
    UvReactor reactor;
    SignalCalls calls;
    calls.stop = calls.reload = calls.restart = [] {};
    calls.restarts = [] { return false; };
    Parts parts(reactor, *places, std::make_shared<Config>(loaded.config), calls);
    const std::vector<Part*> order = parts.in_order();
    REQUIRE(count <= order.size());
    REQUIRE(on_loop(reactor, start_some({order.begin(), order.begin() + std::ptrdiff_t(count)})));
    Ending ending;
    ending.until_ms = reactor.now_ms() + 30;
    ending.unstarted = count < order.size();
    for (int time = 0; time < 2; ++time)
        on_loop(reactor, drain_all(reactor, order, ending));
    for (int time = 0; time < 2; ++time)
        on_loop(reactor, stop_all(order, ending));
    Nest::let_in();
}

}  // namespace

TEST_CASE("parts that were not started are stopped, and others twice, without a trace") {
    Nest nest;
    constexpr size_t kParts = 17;
    start_and_stop(nest, kParts);
    const Left left;
    for (size_t count = 0; count <= kParts; ++count) {
        start_and_stop(nest, count);
        const std::string litter = nest.litter();
        INFO(count << " parts started; left: " << litter);
        CHECK(litter.empty());
        CHECK(Left() == left);
    }
}

TEST_CASE("reloads of the same configuration change no part") {
    Nest nest;
    int threads = 0;
    bool same = true, stopped = false;
    const Life life = nest.live([&](Alive& alive) {
        if (!alive.serves() || stopped) return;
        if (alive.life.turns == alive.life.serving_turn) {
            threads = Left().threads;
            for (int after_ms : {0, 0, 5})
                alive.reactor.after(after_ms, [&app = alive.app] { app.ask_reload(); });
            alive.reactor.after(20, [&stopped, &app = alive.app] {
                stopped = true;
                app.ask_stop();
            });
        }
        same = same && Left().threads == threads;
    });
    CHECK(life.status == 0);
    CHECK(stopped);
    CHECK(same);
}
