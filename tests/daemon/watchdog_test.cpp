// The watchdog beside a store that answers while the world moves on: on virtual time.
#include "daemon/chores/watchdog.h"

#include <catch2/catch.hpp>

#include "tests/support/builders.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

// Calls `after_look` once, between an answer about the queues and its arrival.
class BusyStore final : public MemoryStore {
  public:
    using MemoryStore::MemoryStore;

    task<Result<QueuePage>> queue_page(QueueRequest request) override {
        ++looks;
        auto page = co_await MemoryStore::queue_page(std::move(request));
        if (auto call = std::exchange(after_look, {})) call();
        co_return page;
    }

    std::function<void()> after_look;
    int looks = 0;
};

struct Rig {
    Rig()
        : store(reactor),
          events(reactor),
          workers(reactor),
          broker(reactor, store, events, workers, std::make_shared<Config>()),
          watchdog(reactor, broker, counters),
          gate(reactor) {}

    ~Rig() {
        ticket->interrupt();
        run_task(reactor, gate.close());
        run_task(reactor, watchdog.stop());
    }

    // A worker that waits for a job.
    void wait_for_job() {
        FetchOrder order;
        order.owner = "faktory";
        order.worker = "w-1";
        order.queues = {"default"};
        order.wait_ms = 60'000;
        order.lease_per_job = true;
        gate.spawn(take(std::move(order)));
        reactor.run_until_idle();
    }

    task<void> take(FetchOrder order) {
        auto jobs = co_await broker.dispatch().fetch(std::move(order), ticket);
        if (jobs && !jobs->empty()) taken = jobs->front().job.jid;
    }

    // Stored, and no worker is woken.
    void push_unseen() {
        Job job = a_job("mail", "job-0001");
        job.created_ms = reactor.wall_ms();
        std::vector<Job> jobs{job};
        spawn(store_it(std::move(jobs)));
    }

    task<void> store_it(std::vector<Job> jobs) {
        auto stored = co_await store.enqueue(std::move(jobs));
        stored_ = stored.has_value();
    }

    TestReactor reactor;
    BusyStore store;
    Events events;
    Workers workers;
    Counters counters;
    Broker broker;
    Watchdog watchdog;
    std::shared_ptr<Waiters::Ticket> ticket = std::make_shared<Waiters::Ticket>(reactor);
    std::string taken;
    bool stored_ = false;
    Gate gate;
};

}  // namespace

TEST_CASE("the watchdog looks again when something stirs during a look") {
    Rig rig;
    rig.wait_for_job();
    rig.store.after_look = [&] {
        rig.push_unseen();
        rig.broker.wakeups().stir();
    };
    rig.broker.wakeups().stir();
    rig.reactor.advance(4'000);
    REQUIRE(rig.store.looks == 1);
    CHECK(rig.taken.empty());
    rig.reactor.advance(4'000);
    CHECK(rig.taken == "job-0001");
    CHECK(rig.counters.watchdog_woke == 1);
}

TEST_CASE("the watchdog looks again for a worker that came to wait shortly before a look") {
    Rig rig;
    rig.broker.wakeups().stir();
    rig.reactor.advance(2'500);
    rig.wait_for_job();
    rig.push_unseen();
    rig.broker.wakeups().stir();
    rig.reactor.advance(6'000);
    CHECK(rig.taken == "job-0001");
    CHECK(rig.counters.watchdog_woke == 1);
}

TEST_CASE("the watchdog looks once more for all that stirred before a look, and then rests") {
    Rig rig;
    rig.wait_for_job();
    for (int i = 0; i < 3; ++i) {
        rig.broker.wakeups().stir();
        rig.reactor.advance(500);
    }
    rig.reactor.advance(30'000);
    CHECK(rig.store.looks == 2);
}
