// ThreadPool on the model of the store: what its threads and the loop hand each other. Under TSan
// in CI, where the programs themselves can't be (their clone(CLONE_VM) confuses it).
#include "daemon/work/thread_pool.h"

#include <catch2/catch.hpp>

#include "daemon/observe/job_metrics.h"
#include "daemon/observe/log.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/builders.h"
#include "tests/support/memory_store.h"

namespace jobq::test {
namespace {

struct Setup {
    UvReactor reactor;
    MemoryStore store{reactor};
    Events events{reactor};
    Workers workers{reactor};
    Metrics metrics;
    JobMetrics counted{metrics};
    Broker broker{reactor, store, events, workers, std::make_shared<Config>(), counts(counted)};
    std::unique_ptr<ThreadPool> pool;

    Setup() { log_open("warn", false); }

    static BrokerOutside counts(JobMetrics& metrics) {
        BrokerOutside outside;
        outside.observers.push_back(&metrics);
        return outside;
    }

    // By jobq_jobs_started_total.
    int64_t started(const std::string& type) {
        const std::string text = metrics.text();
        const std::string line =
            "jobq_jobs_started_total{queue=\"default\",type=\"" + type + "\"} ";
        const size_t at = text.find(line);
        return at == std::string::npos ? 0 : std::stoll(text.substr(at + line.size()));
    }

    bool comes_to_start(const std::string& type, int64_t count) {
        return comes_to([&](const StoreStats&) { return started(type) == count; });
    }

    void start(int slots) {
        PoolConfig config;
        config.name = "threads";
        config.kind = PoolKind::thread;
        config.slots = slots;
        pool = std::make_unique<ThreadPool>(reactor, broker, config);
        pool->start();
    }

    void enqueue(const std::string& type, const std::string& args, int count) {
        std::vector<Job> jobs;
        for (int i = 0; i < count; ++i) {
            jobs.push_back(a_job(type, type + std::to_string(i)));
            jobs.back().args = args;
        }
        for (const auto& result :
             on_loop(reactor, broker.intake().enqueue(std::move(jobs), Caller{})))
            REQUIRE(result);
    }

    StoreStats stats() { return on_loop(reactor, store.stats()).value(); }

    bool comes_to(const std::function<bool(const StoreStats&)>& condition) {
        bool there = false;
        for (int i = 0; i < 3'000 && !there; ++i) {
            there = condition(stats());
            on_loop(reactor, until(
                                 reactor, [&] { return there; }, 10));
        }
        return there;
    }

    bool reaches(int64_t succeeded) {
        return comes_to([&](const StoreStats& now) { return now.succeeded >= succeeded; });
    }
};

}  // namespace

TEST_CASE("a thread pool runs each job once, whatever its slots") {
    const int slots = GENERATE(1, 2, 40);
    Setup s;
    s.start(slots);
    s.enqueue("noop", "[]", 3'000);
    s.enqueue("echo", "[\"hello\"]", 500);
    CHECK(s.reaches(3'500));
    const StoreStats stats = s.stats();
    CHECK(stats.succeeded == 3'500);
    CHECK(stats.failed_attempts == 0);
    CHECK(stats.running == 0);
    CHECK(s.started("noop") == 3'000);
    CHECK(s.started("echo") == 500);
    on_loop(s.reactor, s.pool->stop(1'000));
    CHECK(s.pool->busy() == 0);
}

TEST_CASE("what slow jobs keep a thread pool from starting goes back for others") {
    Setup s;
    s.enqueue("noop", "[]", 2'000);
    s.start(4);
    REQUIRE(s.reaches(2'000));  // now it knows jobs as short, and takes them ahead
    s.enqueue("sleep", "[{\"ms\":3000}]", 100);
    REQUIRE(on_loop(s.reactor, until(s.reactor, [&] { return s.pool->busy() > 4; })));
    CHECK(s.comes_to([](const StoreStats& now) { return now.ready == 96; }));
    CHECK(s.pool->busy() == 4);
    CHECK(s.stats().failed_attempts == 0);
    CHECK(s.comes_to_start("sleep", 4));  // while they run; not those that went back
    on_loop(s.reactor, s.pool->stop(0));
    CHECK(s.stats().ready == 100);
    CHECK(s.started("sleep") == 4);
}

TEST_CASE("at its stop a thread pool hands back what it did not start") {
    Setup s;
    s.enqueue("noop", "[]", 2'000);
    s.start(4);
    REQUIRE(s.reaches(2'000));  // now it knows jobs as short, and takes them ahead
    s.enqueue("sleep", "[{\"ms\":400}]", 300);
    REQUIRE(on_loop(s.reactor, until(s.reactor, [&] { return s.pool->busy() >= 4; })));
    on_loop(s.reactor, s.pool->stop(3'000));
    const StoreStats stats = s.stats();
    CHECK(stats.running == 0);
    CHECK(stats.failed_attempts == 0);
    CHECK(stats.succeeded + stats.ready == 2'300);
    CHECK(stats.ready >= 290);
    CHECK(s.started("sleep") == 300 - stats.ready);
}

}  // namespace jobq::test
