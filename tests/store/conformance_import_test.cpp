// The Store contract, on RedisStore and on the model: jobs that come from another store.
#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

Imported an_import(const std::string& jid, State state = State::ready, int64_t at_ms = 0) {
    Imported one;
    one.job = a_job("email", jid);
    one.state = state;
    one.at_ms = at_ms;
    if (state == State::scheduled) one.job.run_at_ms = at_ms;
    if (state == State::retrying || state == State::dead) {
        one.record.attempts = 3;
        one.record.errors.push_back({});
        one.record.errors.back().message = "it broke";
    }
    if (state == State::dead) one.record.reason = "exhausted";
    return one;
}

template <class Setup>
Texts bring_in(StoreTest<Setup>& t, std::vector<Imported> jobs) {
    Texts texts;
    for (const auto& result : t.get_value(t.store.bring_in(std::move(jobs))))
        texts.push_back(text_of(result));
    return texts;
}

}  // namespace

TEMPLATE_TEST_CASE("imported jobs are where they were, with what had happened to them", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    int64_t soon = t.now() + 5'000, later = t.now() + 9'000, before = t.now() - 60'000;
    CHECK(bring_in(t,
                   {an_import("a"), an_import("b"), an_import("s", State::scheduled, soon),
                    an_import("r", State::retrying, later), an_import("d", State::dead, before)}) ==
          Texts{"ready a", "ready b", "scheduled s", "retrying r", "dead d"});
    CHECK(t.view("s").at_ms == soon);
    CHECK(t.view("r").at_ms == later);
    CHECK(t.view("r").record.attempts == 3);
    CHECK(t.view("r").record.errors.at(0).message == "it broke");
    CHECK(t.view("d").at_ms == before);
    CHECK(t.view("d").record.reason == "exhausted");
    CHECK(t.stats().enqueued == 5);
    CHECK(t.stats().ready == 2);
    CHECK(t.stats().dead == 1);
    CHECK(t.fetch_jids({"default"}, 5) == Texts{"a", "b"});
    auto promoted = t.get_value(t.store.promote(later, 10));
    CHECK(promoted.queues.at("default") == 2);
    auto leases = t.fetch({"default"}, 5);
    CHECK(jids_of(leases) == Texts{"s", "r"});
    CHECK(leases[1].record.attempts == 3);
    CHECK(t.requeue("d", true) == "ok");
    CHECK(t.fetch_jids({"default"}) == Texts{"d"});
}

TEMPLATE_TEST_CASE("an import is not repeated, whatever has become of its jobs", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    std::vector<Imported> all{an_import("over"), an_import("gone"), an_import("waits"),
                              an_import("d", State::dead, t.now())};
    bring_in(t, all);
    CHECK(t.end(t.take(), Move::succeed) == "ok");
    CHECK(t.remove("gone") == "ok");
    CHECK(t.requeue("d") == "ok");
    std::string before = t.dump();
    CHECK(bring_in(t, all) == Texts{"same over", "same gone", "same waits", "same d"});
    CHECK(t.dump() == before);
    CHECK(bring_in(t, {an_import("new"), an_import("new")}) == Texts{"ready new", "same new"});

    // The marks go in time; what is live is known by itself.
    t.reactor.advance(limits::kImportMarkMs + 2 * 86'400'000LL);
    t.done(t.store.purge(t.now()));
    CHECK(bring_in(t, {an_import("waits"), an_import("over")}) ==
          Texts{"same waits", "ready over"});
}

TEMPLATE_TEST_CASE("an import leaves other jobs with the same id alone", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "ghost"), a_job("email", "same"), a_job("report", "other")});
    CHECK(t.cancel("ghost") == "ready");
    CHECK(bring_in(t, {an_import("same"), an_import("other"), an_import("ghost")}) ==
          Texts{"same same", "DUPLICATE", "ready ghost"});
    // A cancelled job's place is not taken: what comes later is run later.
    CHECK(t.fetch_jids({"default"}, 5) == Texts{"same", "other", "ghost"});
    CHECK(t.stats().ready == 0);
}

TEMPLATE_TEST_CASE("an import of thousands keeps their order", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<Imported> jobs;
    Texts jids;
    for (int i = 0; i < 1'200; ++i) {
        jids.push_back("job" + std::to_string(i));
        jobs.push_back(an_import(jids.back()));
    }
    for (const auto& text : bring_in(t, jobs))
        CHECK(text.starts_with("ready "));
    Texts fetched;
    for (int part = 0; part < 3; ++part)
        for (const auto& jid : t.fetch_jids({"default"}, 400))
            fetched.push_back(jid);
    CHECK(fetched == jids);
}

}  // namespace jobq::test
