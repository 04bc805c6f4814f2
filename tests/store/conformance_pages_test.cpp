// The Store contract as sentences, on the model and on RedisStore: walks over lists that change
// under them neither pass over nor repeat what did not change.
#include <algorithm>
#include <functional>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

std::string numbered(const std::string& name, int number) {
    return name + std::to_string(100 + number);
}

// All pages of `limit`, oldest or newest first; `between` is called after each but the last.
template <class Setup>
Texts walk(StoreTest<Setup>& t, ListRequest request, const std::function<void(int page)>& between) {
    Texts jids;
    for (int page = 1; page < 1'000; ++page) {
        const auto found = t.get_value(t.store.list(request));
        for (const auto& view : found.jobs)
            jids.push_back(view.job.jid);
        if (found.next.empty()) return jids;
        request.cursor = found.next;
        between(page);
    }
    FAIL("the walk has no end");
    return jids;
}

// The same, with each page's jids given to `act`, the last too.
template <class Setup>
Texts walk_on(StoreTest<Setup>& t, ListRequest request,
              const std::function<void(const Texts& page)>& act) {
    Texts jids;
    for (int page = 1; page < 100; ++page) {
        const auto found = t.get_value(t.store.list(request));
        Texts some;
        for (const auto& view : found.jobs)
            some.push_back(view.job.jid);
        jids.insert(jids.end(), some.begin(), some.end());
        act(some);
        if (found.next.empty()) return jids;
        request.cursor = found.next;
    }
    FAIL("the walk has no end");
    return jids;
}

template <class Setup>
std::vector<Job> jobs_named(StoreTest<Setup>& t, const std::string& name, int count,
                            int64_t run_at_ms = 0) {
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i) {
        jobs.push_back(a_job("email", numbered(name, i)));
        jobs.back().created_ms = t.now();
        if (run_at_ms != 0) jobs.back().run_at_ms = run_at_ms + i / 4;  // some at the same time
    }
    return jobs;
}

Texts those_of(const Texts& jids, const std::string& name) {
    Texts its;
    for (const auto& jid : jids)
        if (jid.rfind(name, 0) == 0) its.push_back(jid);
    return its;
}

Texts all_of(const std::string& name, int count, int from = 0) {
    Texts jids;
    for (int i = from; i < count; ++i)
        jids.push_back(numbered(name, i));
    return jids;
}

}  // namespace

TEMPLATE_TEST_CASE("pages of a set go on where they were when what they showed has moved", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    const bool newest = GENERATE(false, true);
    t.push(jobs_named(t, "stay", 40, t.now() + 10'000));
    t.push(jobs_named(t, "move", 40, t.now() + 10'000));
    ListRequest request;
    request.state = State::scheduled;
    request.limit = 7;
    request.newest_first = newest;
    int left = 40, came = 0;
    const auto jids = walk(t, request, [&](int) {
        // Some leave, wherever they are; others come before and behind the place.
        for (int i = 0; i < 5 && left > 0; ++i)
            t.remove(numbered("move", --left));
        t.push({a_job_at(t.now() + 1'000, numbered("early", came)),
                a_job_at(t.now() + 90'000, numbered("late", came))});
        ++came;
    });
    Texts stayed = those_of(jids, "stay");
    if (newest) std::reverse(stayed.begin(), stayed.end());
    CHECK(stayed == all_of("stay", 40));
    Texts sorted = jids;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
}

TEMPLATE_TEST_CASE("a walk over the dead meets each once though it dies again as soon as it is met",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    const int step_ms = GENERATE(0, 1, -700);  // of the clock, between pages
    const bool newest = GENERATE(false, true);
    INFO(step_ms << (newest ? " newest first" : ""));
    for (const auto& job : jobs_named(t, "dies", 30)) {
        t.push({job});
        t.end(t.take(), Move::dead);
        t.reactor.advance(1);
    }
    ListRequest request;
    request.state = State::dead;
    request.limit = 7;
    request.newest_first = newest;
    for (int again = 0; again < 3; ++again) {
        request.cursor.clear();
        Texts met = walk_on(t, request, [&](const Texts& page) {
            for (const auto& result : t.get_value(t.store.requeue(page, true)))
                CHECK(outcome(result) == "ok");
            t.reactor.step_wall(step_ms);
            for (const auto& lease : t.fetch({"default"}, 30))
                CHECK(t.end(lease, Move::dead) == "ok");
        });
        std::sort(met.begin(), met.end());
        CHECK(met == all_of("dies", 30));
    }
    CHECK(t.stats().dead == 30);
}

TEMPLATE_TEST_CASE("pages of a queue go on behind the last job, wherever it is by now", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push(jobs_named(t, "job", 60));
    ListRequest request;
    request.state = State::ready;
    request.queue = "default";
    request.limit = 10;
    int taken = 0;
    SECTION("jobs in front of it leave, and come behind all") {
        const auto jids = walk(t, request, [&](int page) {
            for (const auto& lease : t.fetch({"default"}, 3)) {
                t.end(lease, Move::succeed);
                ++taken;
            }
            t.push({a_job("email", numbered("new", page))});
        });
        CHECK(those_of(jids, "job") == all_of("job", 60));
        CHECK(taken > 9);
    }
    SECTION("it leaves with all in front of it") {
        const auto jids = walk(t, request, [&](int page) {
            for (const auto& lease : t.fetch({"default"}, page == 2 ? 25 : 0))
                t.end(lease, Move::succeed);
        });
        Texts wanted = all_of("job", 20);
        for (const auto& jid : all_of("job", 60, 25))
            wanted.push_back(jid);
        CHECK(jids == wanted);
    }
    SECTION("it is back at the end, after it failed") {
        const auto jids = walk(t, request, [&](int page) {
            if (page != 1) return;
            for (const auto& lease : t.fetch({"default"}, 15)) {
                Finish end = an_end("pool1", lease, Move::retry, t.now());
                end.transition.record.errors.push_back(Attempt{});
                t.finish(end);
            }
            t.get_value(t.store.promote(t.now(), 100));
        });
        CHECK(Texts(jids.begin(), jids.begin() + 10) == all_of("job", 10));
        CHECK(Texts(jids.begin() + 10, jids.begin() + 55) == all_of("job", 60, 15));
        CHECK(Texts(jids.begin() + 55, jids.end()) == all_of("job", 15));  // those changed
    }
    SECTION("some in front of it are handed back") {
        const auto jids = walk(t, request, [&](int page) {
            if (page != 1) return;
            for (const auto& lease : t.fetch({"default"}, 4))
                t.end(lease, Move::release);
        });
        CHECK(jids == all_of("job", 60));
    }
    SECTION("all that is met is cancelled") {
        const auto jids = walk(t, request, [&](int page) {
            for (int i = 10 * (page - 1); i < 10 * page; ++i)
                t.cancel(numbered("job", i));
        });
        CHECK(jids == all_of("job", 60));
    }
}

TEMPLATE_TEST_CASE("pages of finished jobs go on when those that were shown are removed", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push(jobs_named(t, "over", 90));
    for (const auto& lease : t.fetch({"default"}, 90))
        t.end(lease, Move::succeed);
    ListRequest request;
    request.state = State::succeeded;
    Texts met;
    for (int page = 0; page < 100; ++page) {
        const auto found = t.get_value(t.store.list(request));
        // A page of the store may have more than are shown: the rest is met by the next.
        for (size_t i = 0; i < std::min<size_t>(found.jobs.size(), 8); ++i) {
            met.push_back(found.jobs[i].job.jid);
            CHECK(t.remove(found.jobs[i].job.jid) == "ok");
        }
        if (found.jobs.size() <= 8 && found.next.empty()) break;
        request.cursor = found.jobs.size() > 8 ? found.jobs[7].after : found.next;
    }
    std::sort(met.begin(), met.end());
    CHECK(met == all_of("over", 90));
    CHECK(t.list(State::succeeded).empty());
}

TEMPLATE_TEST_CASE("pages of running jobs go on when others start and end", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push(jobs_named(t, "runs", 30));
    auto leases = t.fetch({"default"}, 30);
    ListRequest request;
    request.state = State::running;
    request.limit = 4;
    size_t ended = 20;
    const auto jids = walk(t, request, [&](int page) {
        if (ended < 30) t.end(leases[ended++], Move::succeed);
        t.push({a_job("email", numbered("a-new", page))});
        t.fetch({"default"});
    });
    const auto kept = those_of(jids, "runs");
    CHECK(Texts(kept.begin(), kept.begin() + 20) == all_of("runs", 20));
}

}  // namespace jobq::test
