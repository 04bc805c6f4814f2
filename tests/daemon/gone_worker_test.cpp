// What becomes of the jobs of a Faktory worker that is gone: on virtual time, with one jobqd, and
// with two on one store.
#include <catch2/catch.hpp>

#include "daemon/chores/chores.h"
#include "tests/support/builders.h"
#include "tests/support/memory_store.h"
#include "tests/support/run_task.h"

using namespace jobq;
using namespace jobq::test;

namespace {

std::shared_ptr<const Config> config_of(bool releases, bool shared) {
    auto config = std::make_shared<Config>();
    config->release_on_death = releases;
    if (shared) config->redis.url = "unix:/nowhere";
    return config;
}

// A jobqd without sessions: the tests say who is connected.
struct Daemon {
    Daemon(TestReactor& reactor_in, Store& store, bool releases, bool shared)
        : reactor(reactor_in),
          events(reactor),
          workers(reactor),
          broker(reactor, store, events, workers, config_of(releases, shared)),
          chores(broker, shared) {
        chores.start();
        reactor.advance(10);
    }

    ~Daemon() { run_task(reactor, chores.stop()); }

    std::shared_ptr<Worker> connect(const std::string& wid) {
        auto worker = workers.meet(wid);
        worker->connections = 1;
        worker->beat_ms = reactor.now_ms();
        return worker;
    }

    // What `wid` takes; "" nothing.
    std::string fetch(const std::string& wid, Connection connection = {}) {
        FetchOrder order;
        order.owner = "faktory";
        order.worker = wid;
        order.connection = connection;
        order.queues = {"default"};
        order.lease_per_job = true;
        auto ticket = std::make_shared<Waiters::Ticket>(reactor);
        auto taken = run_task(reactor, broker.dispatch().fetch(std::move(order), ticket));
        if (!taken || taken->empty()) return "";
        return taken->front().job.jid;
    }

    // The report of an end by `wid`, as ACK brings it.
    ErrorCode ack(const std::string& wid, const std::string& jid) {
        std::vector<Ended> batch(1);
        batch[0].jid = jid;
        batch[0].report.worker = wid;
        auto results = run_task(reactor, broker.attempts().finish(std::move(batch)));
        return results.front() ? ErrorCode{} : results.front().error().code;
    }

    TestReactor& reactor;
    Events events;
    Workers workers;
    Broker broker;
    Chores chores;
};

struct Rig {
    explicit Rig(bool releases, bool shared = false) : here(reactor, store, releases, shared) {}

    void push(const std::string& jid, std::optional<int> retry = 25) {
        Job job = a_job("mail", jid);
        job.retry = retry;
        std::vector<Job> jobs{job};
        REQUIRE(run_task(reactor, here.broker.intake().enqueue(std::move(jobs), Caller{})).front());
    }

    JobView view(const std::string& jid) {
        std::vector<std::string> one{jid};
        return run_task(reactor, store.get(std::move(one)))->front().value();
    }

    State state(const std::string& jid) { return view(jid).state; }

    TestReactor reactor;
    MemoryStore store{reactor};
    Daemon here;
};

constexpr int64_t kLate = limits::kFaktoryBeatDeadMs + 3'000;

}  // namespace

TEST_CASE(
    "a Faktory worker's jobs go back once it is gone and its beat is late, if that is asked") {
    const bool releases = GENERATE(true, false);
    CAPTURE(releases);
    Rig rig(releases);
    rig.push("job-0001");
    auto worker = rig.here.connect("w-1");
    REQUIRE(rig.here.fetch("w-1") == "job-0001");
    worker->connections = 0;
    rig.reactor.advance(limits::kFaktoryBeatDeadMs - 5'000);
    CHECK(rig.state("job-0001") == State::running);
    CHECK(rig.here.workers.find("w-1") == worker);
    rig.reactor.advance(8'000);
    CHECK(rig.state("job-0001") == (releases ? State::ready : State::running));
    // As of a lost worker: no attempt is spent, the losses are counted.
    if (releases) CHECK(rig.view("job-0001").record.crashes == 1);
    // It is known as long as it holds something.
    CHECK((rig.here.workers.find("w-1") != nullptr) == !releases);
}

TEST_CASE(
    "a worker that beats, or is connected, keeps its jobs; one cut off for silence does not") {
    Rig rig(true);
    rig.push("job-0001");
    auto worker = rig.here.connect("w-1");
    REQUIRE(rig.here.fetch("w-1") == "job-0001");
    SECTION("connected and beating") {
        for (int i = 0; i < 10; ++i) {
            worker->beat_ms = rig.reactor.now_ms();
            rig.reactor.advance(15'000);
        }
        CHECK(rig.state("job-0001") == State::running);
    }
    SECTION("back before its beat is late") {
        worker->connections = 0;
        rig.reactor.advance(limits::kFaktoryBeatDeadMs - 5'000);
        worker->connections = 1;
        worker->beat_ms = rig.reactor.now_ms();
        rig.reactor.advance(limits::kFaktoryBeatDeadMs - 5'000);
        CHECK(rig.state("job-0001") == State::running);
    }
    SECTION("silent") {
        bool closed = false;
        worker->closers[1] = [&] { closed = true; };
        rig.reactor.advance(kLate);
        CHECK(closed);
        CHECK(rig.state("job-0001") == State::ready);
    }
}

TEST_CASE("the late report of a dead worker changes nothing") {
    Rig rig(true);
    rig.push("job-0001");
    rig.push("job-0002", 0);
    auto worker = rig.here.connect("w-1");
    REQUIRE(rig.here.fetch("w-1") == "job-0001");
    REQUIRE(rig.here.fetch("w-1") == "job-0002");
    worker->connections = 0;
    rig.reactor.advance(kLate);
    CHECK(rig.here.ack("w-1", "job-0001") == ErrorCode::lease_lost);
    CHECK(rig.state("job-0001") == State::ready);
    CHECK(rig.state("job-0002") == State::ready);  // retry 0 does not lose it
    rig.here.connect("w-2");
    const std::string next = rig.here.fetch("w-2");
    REQUIRE_FALSE(next.empty());
    CHECK(rig.here.ack("w-1", next) == ErrorCode::lease_lost);
    CHECK(rig.state(next) == State::running);
    CHECK(rig.here.ack("w-2", next) == ErrorCode{});
    CHECK(rig.state(next) == State::succeeded);
}

TEST_CASE("more jobs than one call of a script takes go back, too") {
    Rig rig(true);
    const int count = int(limits::kScriptJobs) + 3;
    auto worker = rig.here.connect("w-1");
    for (int i = 0; i < count; ++i)
        rig.push("job-" + std::to_string(10'000 + i));
    for (int i = 0; i < count; ++i)
        REQUIRE_FALSE(rig.here.fetch("w-1").empty());
    worker->connections = 0;
    rig.reactor.advance(kLate + 3'000);
    CHECK(run_task(rig.reactor, rig.store.stats())->running == 0);
}

TEST_CASE("a cancel ends the job of a worker without a wid once its connection has closed") {
    Rig rig(false);
    rig.push("job-0001");
    auto presence = std::make_shared<char>();
    REQUIRE(rig.here.fetch("", {true, presence}) == "job-0001");
    const bool before = GENERATE(true, false);
    const auto cancel = [&] {
        std::vector<std::string> one{"job-0001"};
        REQUIRE(run_task(rig.reactor, rig.here.broker.control().cancel(std::move(one))));
    };
    const auto release = [&] {
        std::vector<std::string> one{"job-0001"};
        return run_task(rig.reactor, rig.here.broker.control().release(std::move(one), Caller{}))
            ->front();
    };
    CHECK(release().error().code == ErrorCode::conflict);  // it is there
    if (before) {
        cancel();
        rig.reactor.advance(6'000);
        CHECK(rig.state("job-0001") == State::running);
        presence.reset();
        rig.reactor.advance(6'000);
    } else {
        presence.reset();
        CHECK(rig.here.broker.holders().of("job-0001") == Holder::gone);
        cancel();
    }
    CHECK(rig.state("job-0001") == State::cancelled);
}

TEST_CASE("many jobs are released by one call, each is answered in its place") {
    Rig rig(false);
    const int count = int(limits::kScriptJobs) + 3;
    auto gone = std::make_shared<char>(), there = std::make_shared<char>();
    std::vector<std::string> jids;
    for (int i = 0; i < count; ++i) {
        jids.push_back("job-" + std::to_string(10'000 + i));
        rig.push(jids.back());
        REQUIRE(rig.here.fetch("", {true, i == 7 ? there : gone}) == jids.back());
    }
    gone.reset();
    jids.insert(jids.begin() + 1, "no-such-job");
    std::vector<std::string> asked = jids;
    auto results =
        run_task(rig.reactor, rig.here.broker.control().release(std::move(asked), Caller{}));
    REQUIRE(results);
    REQUIRE(results->size() == jids.size());
    for (size_t i = 0; i < jids.size(); ++i) {
        INFO(jids[i]);
        const auto& result = (*results)[i];
        if (i == 1) {
            CHECK(result.error().code == ErrorCode::not_found);
        } else if (i == 8) {
            CHECK(result.error().code == ErrorCode::conflict);
            CHECK(rig.state(jids[i]) == State::running);
        } else {
            CHECK(result);
            CHECK(rig.state(jids[i]) != State::running);
        }
    }
}

TEST_CASE("two daemons: a worker that is connected to the other one is not dead") {
    Rig rig(true, true);
    Daemon there(rig.reactor, rig.store, true, true);
    rig.push("job-0001");
    auto worker = rig.here.connect("w-1");
    auto same = there.connect("w-1");
    REQUIRE(rig.here.fetch("w-1") == "job-0001");
    worker->connections = 0;
    const auto beat_there = [&](int64_t for_ms) {
        for (int64_t left = for_ms; left > 0; left -= 5'000) {
            same->beat_ms = rig.reactor.now_ms();
            rig.reactor.advance(5'000);
        }
    };
    beat_there(3 * limits::kFaktoryBeatDeadMs);
    CHECK(rig.state("job-0001") == State::running);
    SECTION("its job is not released or cancelled as that of a gone one") {
        std::vector<std::string> one{"job-0001"}, same_one{"job-0001"};
        auto released =
            run_task(rig.reactor, rig.here.broker.control().release(std::move(one), Caller{}));
        CHECK(released->front().error().code == ErrorCode::conflict);
        REQUIRE(run_task(rig.reactor, rig.here.broker.control().cancel(std::move(same_one))));
        beat_there(30'000);
        CHECK(rig.state("job-0001") == State::running);
    }
    SECTION("once it has gone there, too, its job goes back") {
        same->connections = 0;
        rig.reactor.advance(kLate + 30'000);
        CHECK(rig.state("job-0001") == State::ready);
    }
}

TEST_CASE("two daemons: who comes back at the other one just in time keeps its jobs") {
    Rig rig(true, true);
    Daemon there(rig.reactor, rig.store, true, true);
    rig.push("job-0001");
    auto worker = rig.here.connect("w-1");
    REQUIRE(rig.here.fetch("w-1") == "job-0001");
    worker->connections = 0;
    rig.reactor.advance(limits::kFaktoryBeatDeadMs - 3'000);
    there.connect("w-1");
    rig.reactor.advance(limits::kFaktoryBeatDeadMs - 3'000);
    CHECK(rig.state("job-0001") == State::running);
}
