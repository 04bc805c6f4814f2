// The Store contract as sentences: unique locks, batches, slots of throttled queues, progress. Each
// case runs on the model and on RedisStore.
#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

Job tied(Job job, Ties ties) {
    job.ties = std::make_shared<const Ties>(std::move(ties));
    return job;
}

Job unique(std::string jid, bool until_start = false, int64_t for_ms = 60'000) {
    Ties ties;
    ties.lock = "0123456789abcdef";
    ties.lock_for_ms = for_ms;
    ties.until_start = until_start;
    return tied(a_job("email", std::move(jid)), ties);
}

Job of_batch(std::string bid, std::string jid) {
    Ties ties;
    ties.bid = std::move(bid);
    return tied(a_job("email", std::move(jid)), ties);
}

BatchSpec a_batch(std::string bid, std::string parent = "") {
    BatchSpec spec;
    spec.bid = bid;
    spec.parent = std::move(parent);
    spec.complete = a_job_in("callbacks", "complete-" + bid);
    spec.success = a_job_in("callbacks", "success-" + bid);
    return spec;
}

template <class T>
std::string status(T& t, std::string bid) {
    BatchView view = t.get_value(t.store.batch(bid));
    return std::to_string(view.total) + " total " + std::to_string(view.pending) + " pending " +
           std::to_string(view.failed) + " failed complete:" + view.complete_state +
           " success:" + view.success_state;
}

// The job of the queue, ended at once.
template <class T>
std::string run_next(T& t, std::string queue, Move move = Move::succeed) {
    auto leases = t.fetch({queue});
    if (leases.empty()) return "nothing";
    CHECK(t.end(leases[0], move, t.now() + 1'000) == "ok");
    return leases[0].job.jid;
}

}  // namespace

TEMPLATE_TEST_CASE("a unique job keeps its like out until it has succeeded", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    CHECK(t.push({unique("a")}) == Texts{"ready a"});
    CHECK(t.push({unique("b")}) == Texts{"NOTUNIQUE"});
    CHECK(t.push({unique("a")}) == Texts{"NOTUNIQUE"});        // as Faktory has it
    CHECK(t.push({a_job("email", "c")}) == Texts{"ready c"});  // asks for no lock
    t.end(t.take(), Move::retry, t.now());
    CHECK(t.push({unique("b")}) == Texts{"NOTUNIQUE"});
    t.get_value(t.store.promote(t.now(), 10));
    for (const auto& lease : t.fetch({"default"}, 2))
        t.end(lease, Move::succeed);
    CHECK(t.push({unique("b"), unique("d")}) == Texts{"ready b", "NOTUNIQUE"});
}

TEMPLATE_TEST_CASE("a lock goes with its job, however that ends", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({unique("a")});
    CHECK(t.remove("a") == "ok");
    CHECK(t.push({unique("b")}) == Texts{"ready b"});
    CHECK(t.cancel("b") == "ready");
    CHECK(t.push({unique("c")}) == Texts{"ready c"});
    t.get_value(t.store.clear("default", false));
    CHECK(t.push({unique("d")}) == Texts{"ready d"});
    t.end(t.take(), Move::drop);
    CHECK(t.push({unique("e")}) == Texts{"ready e"});
    t.end(t.take(), Move::dead);
    CHECK(t.push({unique("f")}) == Texts{"NOTUNIQUE"});  // a dead job may yet run again
    t.remove("e");
    CHECK(t.push({unique("f")}) == Texts{"ready f"});
    t.done(t.store.flush());
    CHECK(t.push({unique("g")}) == Texts{"ready g"});
}

TEMPLATE_TEST_CASE("a lock until the start is free once the job is fetched", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({unique("a", true)});
    CHECK(t.push({unique("b", true)}) == Texts{"NOTUNIQUE"});
    auto lease = t.take();
    CHECK(t.push({unique("b", true)}) == Texts{"ready b"});
    t.end(lease, Move::succeed);  // leaves the lock of b alone
    CHECK(t.push({unique("c", true)}) == Texts{"NOTUNIQUE"});
}

TEMPLATE_TEST_CASE("a lock lasts its time, counted from when the job is due", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    Job later = unique("a", false, 1'000);
    later.run_at_ms = t.now() + 5'000;
    t.push({later});
    t.reactor.advance(5'500);
    CHECK(t.push({unique("b")}) == Texts{"NOTUNIQUE"});
    t.reactor.advance(500);
    CHECK(t.push({unique("b")}) == Texts{"ready b"});
    CHECK(t.remove("a") == "ok");  // b's lock is not a's to free
    CHECK(t.push({unique("c")}) == Texts{"NOTUNIQUE"});
}

TEMPLATE_TEST_CASE("a batch: complete once all have been run, success after it", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    std::vector<std::string> told;
    t.store.on_ready([&](const std::string& queue) { told.push_back(queue); });
    t.done(t.store.make_batch(a_batch("b-1")));
    CHECK(t.push({of_batch("b-1", "a"), of_batch("b-1", "b")}) == Texts{"ready a", "ready b"});
    CHECK(status(t, "b-1") == "2 total 2 pending 0 failed complete: success:");
    CHECK(run_next(t, "default", Move::retry) == "a");
    CHECK(status(t, "b-1") == "2 total 1 pending 1 failed complete: success:");
    CHECK(run_next(t, "default") == "b");
    CHECK(status(t, "b-1") == "2 total 0 pending 1 failed complete: success:");
    CHECK(told.empty());
    t.done(t.store.open_batch("b-1", false));
    CHECK(status(t, "b-1") == "2 total 0 pending 1 failed complete:1 success:");
    CHECK(told == Texts{"callbacks"});
    CHECK(run_next(t, "callbacks") == "complete-b-1");
    CHECK(status(t, "b-1") == "2 total 0 pending 1 failed complete:2 success:");
    t.get_value(t.store.promote(t.now() + 1'000, 10));
    CHECK(run_next(t, "default") == "a");
    CHECK(status(t, "b-1") == "2 total 0 pending 0 failed complete:2 success:1");
    CHECK(run_next(t, "callbacks", Move::retry) == "success-b-1");
    CHECK(status(t, "b-1") == "2 total 0 pending 0 failed complete:2 success:1");
    t.get_value(t.store.promote(t.now() + 1'000, 10));
    CHECK(run_next(t, "callbacks") == "success-b-1");
    CHECK(status(t, "b-1") == "2 total 0 pending 0 failed complete:2 success:2");
    CHECK(run_next(t, "callbacks") == "nothing");
}

TEMPLATE_TEST_CASE("a callback runs also when its jid is another job's, and not before its time",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    BatchSpec one = a_batch("b-1"), two = a_batch("b-2"), three = a_batch("b-3");
    one.complete = one.success = a_job_in("callbacks", "the same");
    two.complete = a_job_in("callbacks", "a ghost");
    two.success = a_job_in("callbacks", "taken");
    three.complete.reset();
    three.success->run_at_ms = t.now() + 5'000;
    t.push({a_job_in("elsewhere", "taken"), a_job_in("elsewhere", "a ghost")});
    CHECK(t.cancel("a ghost") == "ready");
    for (const auto& spec : {one, two, three}) {
        t.done(t.store.make_batch(spec));
        t.done(t.store.open_batch(spec.bid, false));
    }
    CHECK(run_next(t, "callbacks") == "the same");
    CHECK(run_next(t, "callbacks") == "b-2-complete");
    for (int i = 0; i < 2; ++i)
        run_next(t, "callbacks");
    CHECK(status(t, "b-1") == "0 total 0 pending 0 failed complete:2 success:2");
    CHECK(status(t, "b-2") == "0 total 0 pending 0 failed complete:2 success:2");
    CHECK(status(t, "b-3") == "0 total 0 pending 0 failed complete: success:1");
    CHECK(run_next(t, "callbacks") == "nothing");
    CHECK(t.state("success-b-3") == "scheduled");
    t.get_value(t.store.promote(t.now() + 5'000, 10));
    CHECK(run_next(t, "callbacks") == "success-b-3");
    CHECK(status(t, "b-3") == "0 total 0 pending 0 failed complete: success:2");
}

TEMPLATE_TEST_CASE("an empty batch fires at its commit, a job for no batch is refused", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    CHECK(t.push({of_batch("b-none", "a")}) == Texts{"NOT_FOUND"});
    CHECK(t.state("a") == "none");
    t.done(t.store.make_batch(a_batch("b-1")));
    t.done(t.store.open_batch("b-1", false));
    CHECK(status(t, "b-1") == "0 total 0 pending 0 failed complete:1 success:");
    CHECK(run_next(t, "callbacks") == "complete-b-1");
    CHECK(run_next(t, "callbacks") == "success-b-1");
    CHECK(outcome(run_task(t.reactor, t.store.open_batch("b-2", true))) == "NOT_FOUND");
    CHECK(outcome(run_task(t.reactor, t.store.make_batch(a_batch("b-3", "b-2")))) == "NOT_FOUND");
    CHECK(outcome(run_task(t.reactor, t.store.batch("b-3"))) == "NOT_FOUND");
}

TEMPLATE_TEST_CASE("a parent's success waits for the success of its children", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    BatchSpec parent = a_batch("b-p"), child = a_batch("b-c", "b-p"), bare;
    parent.complete.reset();
    bare.bid = "b-g";
    bare.parent = "b-c";
    t.done(t.store.make_batch(parent));
    t.done(t.store.make_batch(child));
    t.done(t.store.make_batch(bare));
    t.push({of_batch("b-p", "p"), of_batch("b-c", "c"), of_batch("b-g", "g")});
    for (const char* bid : {"b-g", "b-c", "b-p"})
        t.done(t.store.open_batch(bid, false));
    CHECK(run_next(t, "default") == "p");
    CHECK(status(t, "b-p") == "1 total 0 pending 0 failed complete: success:");
    CHECK(run_next(t, "default") == "c");
    CHECK(run_next(t, "callbacks") == "complete-b-c");
    CHECK(run_next(t, "callbacks") == "nothing");
    CHECK(run_next(t, "default") == "g");  // without callbacks it is over with its job
    CHECK(run_next(t, "callbacks") == "success-b-c");
    CHECK(run_next(t, "callbacks") == "success-b-p");
    CHECK(run_next(t, "callbacks") == "nothing");
}

TEMPLATE_TEST_CASE("a batch is opened again, also when its callbacks have run", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.done(t.store.make_batch(a_batch("b-1")));
    t.push({of_batch("b-1", "a")});
    t.done(t.store.open_batch("b-1", false));
    t.done(t.store.open_batch("b-1", true));
    CHECK(run_next(t, "default") == "a");
    CHECK(run_next(t, "callbacks") == "nothing");
    t.push({of_batch("b-1", "b")});
    t.done(t.store.open_batch("b-1", false));
    CHECK(run_next(t, "default") == "b");
    CHECK(run_next(t, "callbacks") == "complete-b-1");
    CHECK(run_next(t, "callbacks") == "success-b-1");
    t.done(t.store.open_batch("b-1", true));
    t.push({of_batch("b-1", "c")});
    t.done(t.store.open_batch("b-1", false));
    CHECK(run_next(t, "default") == "c");
    CHECK(status(t, "b-1") == "3 total 0 pending 0 failed complete:2 success:2");
    CHECK(run_next(t, "callbacks") == "nothing");  // each fires once
}

TEMPLATE_TEST_CASE("a batch with a job that never succeeds completes and does not succeed", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.done(t.store.make_batch(a_batch("b-1")));
    for (const char* jid : {"gone", "dead", "dropped", "fine"})
        t.push({of_batch("b-1", jid)});
    t.done(t.store.open_batch("b-1", false));
    CHECK(t.cancel("gone") == "ready");
    CHECK(run_next(t, "default", Move::dead) == "dead");
    CHECK(run_next(t, "default", Move::drop) == "dropped");
    CHECK(run_next(t, "default") == "fine");
    CHECK(status(t, "b-1") == "4 total 0 pending 3 failed complete:1 success:");
    CHECK(run_next(t, "callbacks") == "complete-b-1");
    CHECK(t.requeue("dead") == "ok");
    CHECK(run_next(t, "default") == "dead");
    CHECK(status(t, "b-1") == "4 total 0 pending 2 failed complete:2 success:");
    CHECK(run_next(t, "callbacks") == "nothing");
}

TEMPLATE_TEST_CASE("batches go: those nobody commits, and those of which nothing lives", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.done(t.store.make_batch(a_batch("b-open")));
    t.done(t.store.make_batch(a_batch("b-child", "b-open")));
    t.done(t.store.make_batch(a_batch("b-lives")));
    t.push({of_batch("b-lives", "a")});
    t.done(t.store.open_batch("b-lives", false));
    t.reactor.advance(limits::kBatchPatienceMs);
    t.done(t.store.purge(t.now()));
    CHECK(outcome(run_task(t.reactor, t.store.batch("b-open"))) == "NOT_FOUND");
    t.reactor.advance(40 * limits::kBatchKeepMs);
    t.done(t.store.purge(t.now()));
    CHECK(run_next(t, "default") == "a");
    CHECK(run_next(t, "callbacks") == "complete-b-lives");
    CHECK(run_next(t, "callbacks") == "success-b-lives");
    t.reactor.advance(limits::kBatchKeepMs - 1);
    t.done(t.store.purge(t.now()));
    CHECK(status(t, "b-lives") == "1 total 0 pending 0 failed complete:2 success:2");
    t.reactor.advance(1);
    t.done(t.store.purge(t.now()));
    CHECK(outcome(run_task(t.reactor, t.store.batch("b-lives"))) == "NOT_FOUND");
}

TEMPLATE_TEST_CASE("a throttled queue gives no more jobs than it has slots, in all and per worker",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<std::string> told;
    t.store.on_ready([&](const std::string& queue) { told.push_back(queue); });
    for (const char* jid : {"a", "b", "c", "d", "e"})
        t.push({a_job("email", jid)});
    t.push({a_job_in("free", "f")});
    FetchRequest request;
    request.owner = "pool1";
    request.queues = {"default", "free"};
    request.count = 5;
    request.throttles["default"] = {3, 2};
    request.worker = "w1";
    auto first = t.get_value(t.store.fetch(request));
    CHECK(jids_of(first) == Texts{"a", "b", "f"});
    request.worker = "w2";
    auto second = t.get_value(t.store.fetch(request));
    CHECK(jids_of(second) == Texts{"c"});
    request.worker = "w3";
    CHECK(t.get_value(t.store.fetch(request)).empty());
    CHECK(t.end(first[0], Move::release) == "ok");
    CHECK(t.end(second[0], Move::retry, t.now() + 1'000) == "ok");
    if (std::is_same_v<TestType, OnRedis>) CHECK(told == Texts{"default"});  // by the retry
    CHECK(jids_of(t.get_value(t.store.fetch(request))) == Texts{"a", "d"});
    request.throttles["default"] = {1, 0};  // a smaller limit of a new configuration
    CHECK(t.get_value(t.store.fetch(request)).empty());
    request.throttles.clear();
    CHECK(jids_of(t.get_value(t.store.fetch(request))) == Texts{"e"});
}

TEMPLATE_TEST_CASE("progress is noted for tracked jobs, and kept when they end", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    Ties ties;
    ties.tracked = true;
    t.push({tied(a_job("email", "a"), ties), a_job("email", "b")});
    CHECK_FALSE(t.get_value(t.store.track({"b", 1, "no", 0})));
    CHECK_FALSE(t.get_value(t.store.track({"unknown", 1, "no", 0})));
    t.reactor.advance(10);
    CHECK(t.get_value(t.store.track({"a", 1, "one", t.now() + 1'000})));
    CHECK(t.get_value(t.store.track({"a", 2, std::nullopt, t.now()})));
    Progress expected;
    expected.tracked = true;
    expected.percent = 2;
    expected.description = "one";
    expected.updated_ms = t.now();
    expected.lease_until_ms = t.now() + 1'000;
    CHECK(t.get_value(t.store.progress({"a", "b"})) == std::vector<Progress>{expected, {}});
    t.end(t.take(), Move::succeed);
    expected.end = "success";
    CHECK(t.get_value(t.store.progress({"a"})) == std::vector<Progress>{expected});
    CHECK(t.get_value(t.store.track({"a", 100, "over", 0})));
    t.push({tied(a_job("email", "a"), ties)});  // another life, another story
    Progress fresh;
    fresh.tracked = true;
    CHECK(t.get_value(t.store.progress({"a"})) == std::vector<Progress>{fresh});
}

}  // namespace jobq::test
