// The Store contract as sentences: once means once. A call that is repeated, as its answer was
// lost, is one job, also when that is over; a new use of a jid says so, or comes later. Each case
// runs on the model and on RedisStore.
#include <algorithm>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

Job looked_for(std::string jid, Reuse reuse = Reuse::never) {
    Job job = a_job("email", std::move(jid));
    job.reuse = reuse;
    job.may_be_known = reuse != Reuse::again;
    return job;
}

Job with_args(Job job, std::string args) {
    job.args = std::move(args);
    return job;
}

Job keyed(Job job, std::string key) {
    job.idempotency_key = std::move(key);
    return job;
}

template <class T>
void run_now(T& t) {
    auto lease = t.take();
    Finish end = an_end("pool1", lease, Move::succeed);
    end.final.finished_ms = t.now();
    REQUIRE(t.finish(std::move(end)) == "ok");
}

template <class T>
std::string state_told(T& t, Job job) {
    auto results = t.get_value(t.store.enqueue({std::move(job)}));
    if (!results[0]) return outcome(results[0]);
    return results[0]->forgotten ? "forgotten" : std::string(name(results[0]->state));
}

}  // namespace

TEMPLATE_TEST_CASE("a repeat of a job that is over is that job and runs no more", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({looked_for("a")});
    run_now(t);
    t.reactor.advance(3'600'000);
    CHECK(t.push({looked_for("a")}) == Texts{"same a"});
    CHECK(state_told(t, looked_for("a")) == "succeeded");
    CHECK(t.push({looked_for("a"), looked_for("b")}) == Texts{"same a", "ready b"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"b"});
    CHECK(t.push({with_args(looked_for("a"), "[2]")}) == Texts{"DUPLICATE"});
    CHECK(t.fetch_jids({"default"}, 9).empty());
}

TEMPLATE_TEST_CASE("also one that was cancelled in its queue, and one that is dead", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({looked_for("a"), looked_for("b")});
    t.cancel("a");
    t.end(t.take(), Move::dead);
    CHECK(state_told(t, looked_for("a")) == "cancelled");
    CHECK(state_told(t, looked_for("b")) == "dead");
    CHECK(t.fetch_jids({"default"}, 9).empty());
}

TEMPLATE_TEST_CASE("who says so uses the jid of a job that is over again", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({looked_for("a")});
    CHECK(t.push({looked_for("a", Reuse::again)}) == Texts{"same a"});
    run_now(t);
    CHECK(t.push({keyed(with_args(looked_for("a", Reuse::again), "[2]"), "k")}) ==
          Texts{"ready a"});
    run_now(t);
    // Repeated: the key is of the call.
    CHECK(t.push({keyed(with_args(looked_for("a", Reuse::again), "[2]"), "k")}) == Texts{"same a"});
    CHECK(t.fetch_jids({"default"}, 9).empty());
}

TEMPLATE_TEST_CASE("a jid alone is a repeat within seconds of the end, and a new use later", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({looked_for("a", Reuse::plain)});
    run_now(t);
    t.reactor.advance(limits::kRepeatMs - 1);
    CHECK(t.push({looked_for("a", Reuse::plain)}) == Texts{"same a"});
    CHECK(t.push({with_args(looked_for("a", Reuse::plain), "[2]")}) == Texts{"ready a"});
    run_now(t);
    t.reactor.advance(limits::kRepeatMs);
    CHECK(t.push({with_args(looked_for("a", Reuse::plain), "[2]")}) == Texts{"ready a"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"a"});
}

TEMPLATE_TEST_CASE("a jid alone is refused later when its job has begun and is not over", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({looked_for("a", Reuse::plain)});
    t.reactor.advance(limits::kRepeatBegunMs);
    CHECK(t.push({looked_for("a", Reuse::plain)}) == Texts{"same a"});
    auto lease = t.take();
    CHECK(t.push({looked_for("a", Reuse::plain)}) == Texts{"DUPLICATE"});
    CHECK(t.push({looked_for("a")}) == Texts{"same a"});
    CHECK(t.end(lease, Move::dead) == "ok");
    CHECK(t.push({looked_for("a", Reuse::plain)}) == Texts{"DUPLICATE"});
    CHECK(state_told(t, looked_for("a")) == "dead");
}

TEMPLATE_TEST_CASE("the second use of a key tells the state of the first, and that a body differs",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    Job first = keyed(looked_for("a"), "k");
    first.run_at_ms = t.now() + 60'000;
    t.push({first});
    CHECK(state_told(t, keyed(looked_for("b"), "k")) == "scheduled");
    CHECK(t.push({keyed(with_args(looked_for("b"), "[2]"), "k")}) == Texts{"DUPLICATE"});
    CHECK(t.requeue("a") == "ok");
    run_now(t);
    CHECK(state_told(t, keyed(looked_for("b"), "k")) == "succeeded");
    CHECK(t.push({keyed(with_args(looked_for("b"), "[2]"), "k")}) == Texts{"DUPLICATE"});
    CHECK(t.push({keyed(looked_for("b"), "k")}) == Texts{"existing a"});
    CHECK(t.remove("a") == "ok");
    CHECK(state_told(t, keyed(looked_for("b"), "k")) == "forgotten");
}

TEMPLATE_TEST_CASE("as many jids as a call may have are looked for at once", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    std::vector<Job> jobs;
    for (size_t i = 0; i <= limits::kScriptJobs; ++i)
        jobs.push_back(looked_for("job-" + std::to_string(i)));
    CHECK(t.push(jobs).front() == "ready job-0");
    for (size_t left = jobs.size(); left > 0;) {
        auto leases = t.fetch({"default"}, 500);
        std::vector<Finish> ends;
        for (const auto& lease : leases)
            ends.push_back(an_end("pool1", lease, Move::succeed));
        left -= ends.size();
        t.get_value(t.store.finish(std::move(ends)));
    }
    auto texts = t.push(jobs);
    CHECK(std::count_if(texts.begin(), texts.end(), [](const auto& text) {
              return text.starts_with("same ");
          }) == int64_t(jobs.size()));
}

}  // namespace jobq::test
