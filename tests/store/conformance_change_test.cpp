// The Store contract as sentences, on the model and on RedisStore: what people do to jobs and
// queues, what they see, and what time takes away.
#include "tests/store/conformance.h"

namespace jobq::test {

// One job in each state, the jid says which. `gone` is unknown.
template <class Setup>
void fill(StoreTest<Setup>& t) {
    t.push({a_job("email", "succeeded"), a_job("email", "retrying"), a_job("email", "dead"),
            a_job("email", "running")});
    auto leases = t.fetch({"default"}, 4);
    t.end(leases[0], Move::succeed);
    t.end(leases[1], Move::retry, t.now() + 1'000);
    t.end(leases[2], Move::dead);
    t.push({a_job("email", "ready"), a_job_at(t.now() + 1'000, "scheduled")});
}

TEMPLATE_TEST_CASE("cancel ends what waits or is dead, marks what runs, refuses what is over", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    CHECK(t.cancel("ready") == "ready");
    CHECK(t.cancel("scheduled") == "scheduled");
    CHECK(t.cancel("retrying") == "retrying");
    CHECK(t.cancel("dead") == "dead");
    CHECK(t.cancel("running") == "running pool1");
    CHECK(t.cancel("succeeded") == "CONFLICT");
    CHECK(t.cancel("gone") == "NOT_FOUND");
    for (const char* jid : {"ready", "scheduled", "retrying", "dead"}) {
        CHECK(t.state(jid) == "cancelled");
        CHECK(t.cancel(jid) == "CONFLICT");
    }
    CHECK(t.view("retrying").final.attempts == 1);
    CHECK(t.state("running") == "running");
    CHECK(t.view("running").cancel_asked);
    CHECK(t.get_value(t.store.cancels()) == Texts{"running"});
    CHECK(t.fetch_jids({"default"}, 9).empty());
    CHECK(t.stats().cancelled == 4);
    CHECK(t.stats().ready == 0);
}

TEMPLATE_TEST_CASE("a running job with a cancel on record can't wait again", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    auto lease = t.take();
    t.cancel("a");
    std::string before = t.dump();
    for (Move move : {Move::retry, Move::snooze, Move::release}) {
        INFO(int(move));
        CHECK(t.end(lease, move, t.now()) == "CANCELLED");
    }
    CHECK(t.dump() == before);
    CHECK(t.end(lease, Move::cancel) == "ok");
    CHECK(t.state("a") == "cancelled");
    // The mark went with it: the jid may live again.
    t.push({a_job("email", "a")});
    CHECK(t.end(t.take(), Move::retry, t.now()) == "ok");
}

TEMPLATE_TEST_CASE("a job that died or succeeded before its cancel arrived keeps that end", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    auto leases = t.fetch({"default"}, 2);
    t.cancel("a");
    t.cancel("b");
    CHECK(t.end(leases[0], Move::dead) == "ok");
    CHECK(t.end(leases[1], Move::succeed) == "ok");
    CHECK(t.state("a") == "dead");
    CHECK(t.state("b") == "succeeded");
    t.requeue("a");
    auto again = t.take();
    CHECK_FALSE(t.view("a").cancel_asked);
    CHECK(t.end(again, Move::retry, t.now()) == "ok");
}

TEMPLATE_TEST_CASE("requeue makes dead, retrying and scheduled jobs ready, no others", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    for (const char* jid : {"dead", "retrying", "scheduled"})
        CHECK(t.requeue(jid) == "ok");
    for (const char* jid : {"ready", "running", "succeeded", "dead"})
        CHECK(t.requeue(jid) == "CONFLICT");
    CHECK(t.requeue("gone") == "NOT_FOUND");
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"ready", "dead", "retrying", "scheduled"});
    CHECK(t.view("dead").record.attempts == 1);
}

TEMPLATE_TEST_CASE("a revived job starts at no attempts and keeps its errors", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    Finish end = an_end("pool1", t.take(), Move::dead);
    end.transition.record.errors.emplace_back().number = 1;
    end.log = "last words";
    t.finish(end);
    CHECK(t.requeue("a", true) == "ok");
    CHECK(t.view("a").record.attempts == 0);
    CHECK(t.view("a").record.errors.size() == 1);
    auto logs = t.get_value(t.store.logs("a"));
    REQUIRE(logs.size() == 1);
    CHECK(logs[0].text == "last words");
    CHECK(t.take().record.attempts == 0);
}

TEMPLATE_TEST_CASE("remove forgets what waits, is dead or over, not what runs", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    for (const char* jid : {"ready", "scheduled", "retrying", "dead", "succeeded"}) {
        INFO(jid);
        CHECK(t.remove(jid) == "ok");
        CHECK(t.state(jid) == "none");
        CHECK(t.remove(jid) == "NOT_FOUND");
    }
    CHECK(t.remove("running") == "CONFLICT");
    CHECK(t.remove("gone") == "NOT_FOUND");
    auto stats = t.stats();
    CHECK(stats.removed == 4);  // the one that was over is counted as succeeded
    CHECK(stats.enqueued == stats.succeeded + stats.removed + stats.running);
}

TEMPLATE_TEST_CASE("kill makes scheduled and retrying jobs dead, no others", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    CHECK(t.kill("scheduled") == "ok");
    CHECK(t.kill("retrying") == "ok");
    for (const char* jid : {"ready", "running", "dead", "succeeded"})
        CHECK(t.kill(jid) == "CONFLICT");
    CHECK(t.kill("gone") == "NOT_FOUND");
    CHECK(t.view("scheduled").state == State::dead);
    CHECK(t.view("scheduled").record.reason == "killed");
    CHECK(t.view("scheduled").at_ms == t.now());
    CHECK(t.requeue("scheduled", true) == "ok");
}

TEMPLATE_TEST_CASE("a cancelled or removed job never runs, and its jid may come back", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c"), a_job("email", "d")});
    t.cancel("a");
    t.remove("c");
    CHECK(t.list(State::ready, "default") == Texts{"b", "d"});
    CHECK(t.stats().ready == 2);
    CHECK(t.push({a_job_in("other", "a"), a_job_at(t.now() + 5, "c")}) ==
          Texts{"ready a", "scheduled c"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"b", "d"});
    CHECK(t.fetch_jids({"other"}, 9) == Texts{"a"});
    CHECK(t.stats().ready == 0);
}

TEMPLATE_TEST_CASE("many cancelled jobs do not hide those behind them", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<Job> jobs;
    std::vector<std::string> jids;
    for (int i = 0; i < 2'500; ++i) {
        jobs.push_back(a_job("email", "j" + std::to_string(i)));
        jids.push_back(jobs.back().jid);
    }
    jobs.push_back(a_job("email", "last"));
    t.push(jobs);
    t.get_value(t.store.cancel(jids));
    auto queues = t.get_value(t.store.queues(false));
    CHECK(queues[0].size == 1);
    CHECK(t.fetch_jids({"default"}, 3) == Texts{"last"});
    CHECK(t.fetch_jids({"default"}, 3).empty());
    CHECK(t.get_value(t.store.queues(false))[0].size == 0);
}

TEMPLATE_TEST_CASE("clear removes the ready jobs of a queue and, when asked, the queue", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job_in("mail", "run")});
    t.fetch({"mail"});
    t.push({a_job_in("mail", "a"), a_job_in("mail", "b", 9), a_job_in("mail", "c"),
            a_job_in("sms", "other")});
    t.cancel("c");
    CHECK(t.get_value(t.store.clear("mail", false)) == 2);
    CHECK(t.state("a") == "none");
    CHECK(t.state("run") == "running");
    CHECK(t.stats().removed == 2);
    CHECK(t.stats().ready == 1);
    CHECK(t.get_value(t.store.clear("mail", false)) == 0);
    CHECK(t.get_value(t.store.queues(false)).size() == 2);
    CHECK(t.get_value(t.store.clear("mail", true)) == 0);
    CHECK(t.get_value(t.store.queues(false)).size() == 1);
    CHECK(outcome(run_task(t.reactor, t.store.clear("mail", true))) == "NOT_FOUND");
    CHECK(t.push({a_job_in("mail", "a")}) == Texts{"ready a"});
}

TEMPLATE_TEST_CASE("clear takes thousands", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<Job> jobs;
    for (int i = 0; i < 1'700; ++i)
        jobs.push_back(a_job_in("mail", "j" + std::to_string(i), 1 + i % 9));
    t.push(jobs);
    CHECK(t.get_value(t.store.clear("mail", false)) == 1'700);
    CHECK(t.stats().ready == 0);
}

TEMPLATE_TEST_CASE("lists page through all jobs of a state, once each, in order", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    Texts by_time, by_turn, running, over;
    std::vector<Job> jobs;
    for (int i = 10; i < 35; ++i) {
        std::string n = std::to_string(i);
        jobs.push_back(a_job("email", "run" + n));
        running.push_back("run" + n);
    }
    t.push(jobs);
    auto leases = t.fetch({"default"}, 25);
    for (int i = 10; i < 35; ++i) {
        std::string n = std::to_string(i);
        t.push({a_job_at(t.now() + 100 * i, "at" + n), a_job_in("default", "q" + n, i < 20 ? 9 : 5),
                a_job("email", "run" + n)});
        by_time.push_back("at" + n);
        by_turn.push_back("q" + n);
    }
    for (size_t i = 0; i < 5; ++i) {
        t.end(leases[i], Move::succeed);
        over.push_back(leases[i].job.jid);
    }
    running.erase(running.begin(), running.begin() + 5);
    for (int limit : {1, 2, 7, 10, 25, 100}) {
        INFO("limit " << limit);
        auto jids = [&](State state, const char* queue) {
            Texts texts;
            for (const auto& view : list_all(t.store, t.reactor, state, queue, limit))
                texts.push_back(view.job.jid);
            return texts;
        };
        CHECK(jids(State::scheduled, "") == by_time);
        CHECK(jids(State::scheduled, "default") == by_time);
        CHECK(jids(State::scheduled, "other").empty());
        CHECK(jids(State::ready, "default") == by_turn);
        auto found = jids(State::running, "");
        std::sort(found.begin(), found.end());
        CHECK(found == running);
        found = jids(State::succeeded, "");
        std::sort(found.begin(), found.end());
        CHECK(found == over);
        CHECK(jids(State::dead, "").empty());
        CHECK(jids(State::blocked, "").empty());
    }
}

TEMPLATE_TEST_CASE("the latency of a queue is that of its next job", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    auto oldest = [&] { return t.get_value(t.store.queues(true))[0].oldest_ms - t.now(); };
    Job old = a_job("email", "old");
    old.created_ms = t.now() - 500;
    Job urgent = a_job_in("default", "urgent", 9);
    urgent.created_ms = t.now() - 100;
    t.push({old});
    CHECK(oldest() == -500);
    t.push({urgent});
    CHECK(oldest() == -100);
    t.cancel("urgent");
    CHECK(oldest() == -500);
    t.take();
    CHECK(t.get_value(t.store.queues(true))[0].oldest_ms == 0);
    t.push({a_job_at(t.now() + 60'000, "later")});
    t.requeue("later");
    CHECK(oldest() == 0);
}

TEMPLATE_TEST_CASE("records and logs go when their retention is over, not before", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "short"), a_job("email", "long")});
    auto leases = t.fetch({"default"}, 2);
    Finish brief = an_end("pool1", leases[0], Move::succeed);
    brief.retention_ms = 60'000;
    brief.log = "gone soon";
    t.finish(brief);
    t.end(leases[1], Move::succeed);
    t.reactor.advance(59'000);
    t.done(t.store.purge(t.now()));
    CHECK(t.state("short") == "succeeded");
    CHECK(t.get_value(t.store.logs("short")).size() == 1);
    t.reactor.advance(10 * 60'000);
    t.done(t.store.purge(t.now()));
    CHECK(t.state("short") == "none");
    CHECK(t.state("long") == "succeeded");
    t.reactor.advance(26 * 3'600'000);
    t.done(t.store.purge(t.now()));
    CHECK(t.state("long") == "none");
    CHECK(outcome(run_task(t.reactor, t.store.logs("long"))) == "NOT_FOUND");
}

TEMPLATE_TEST_CASE("of a jid that lived twice the last life is shown, whatever was kept longer", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    t.cancel("a");  // kept for a day
    t.reactor.advance(10);
    t.push({a_job("email", "a")});
    Finish brief = an_end("pool1", t.take(), Move::succeed);
    brief.retention_ms = 60'000;
    t.finish(brief);
    CHECK(t.state("a") == "succeeded");
}

TEMPLATE_TEST_CASE("a dead job is dropped after half a year", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    t.end(t.take(), Move::dead);
    t.reactor.advance(limits::kDeadKeepMs - 1);
    t.done(t.store.purge(t.now()));
    CHECK(t.state("a") == "dead");
    t.reactor.advance(1);
    t.done(t.store.purge(t.now()));
    CHECK(t.state("a") == "none");
    CHECK(t.stats().removed == 1);
}

TEMPLATE_TEST_CASE("flush drops everything, and the store works on", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    t.done(t.store.pause({"p"}, true));
    t.done(t.store.flush());
    CHECK(t.dump().empty());
    CHECK(t.push({a_job("email", "a")}) == Texts{"ready a"});
    CHECK(t.end(t.take(), Move::succeed) == "ok");
}

TEMPLATE_TEST_CASE("every enqueued job is accounted for", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    fill(t);
    t.cancel("ready");
    t.remove("dead");
    t.push({a_job("email", "x"), a_job("email", "y")});
    auto leases = t.fetch({"default"}, 2);
    t.end(leases[0], Move::drop);
    Finish expired = an_end("pool1", leases[1], Move::drop);
    expired.final.state = State::expired;
    t.finish(expired);
    auto s = t.stats();
    CHECK(s.enqueued == 8);
    CHECK(s.enqueued == s.ready + s.scheduled + s.retrying + s.running + s.dead + s.succeeded +
                            s.cancelled + s.expired + s.dropped + s.removed);
}

TEMPLATE_TEST_CASE("a list goes on behind any of its jobs, from either end", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    for (int i = 0; i < 6; ++i)
        t.push({a_job_at(t.now() + 1'000 + i / 2, "later" + std::to_string(i))});
    for (bool newest : {false, true}) {
        ListRequest request;
        request.state = State::scheduled;
        request.newest_first = newest;
        const auto all = t.get_value(t.store.list(request)).jobs;
        REQUIRE(all.size() == 6);
        CHECK(all.front().job.jid == (newest ? "later5" : "later0"));
        for (size_t i = 0; i < all.size(); ++i) {
            request.cursor = all[i].after;
            const auto rest = t.get_value(t.store.list(request));
            CHECK(rest.jobs.size() == 5 - i);
            CHECK(rest.looked_at == int64_t(5 - i));
            if (!rest.jobs.empty()) CHECK(rest.jobs.front().job.jid == all[i + 1].job.jid);
        }
    }
}

TEMPLATE_TEST_CASE("a list of heads has the beginning of the args, and finds a text in all of them",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    Job big = a_job("email", "big");
    big.args = "[\"" + std::string(100'000, 'x') + "needle\"]";
    Job custom = a_job("email", "custom");
    custom.custom = R"({"note":")" + std::string(5'000, 'y') + "\"}";
    custom.tags = R"(["behind"])";
    t.push({big, custom, a_job("email", "small")});
    ListRequest request;
    request.state = State::ready;
    request.queue = "default";
    request.heads = true;
    const auto heads = t.get_value(t.store.list(request)).jobs;
    REQUIRE(heads.size() == 3);
    CHECK(heads[0].job.args.size() == limits::kPreviewBytes);
    CHECK(heads[0].args_bytes == int64_t(big.args.size()));
    CHECK(!heads[0].corrupt);
    CHECK(heads[1].job.tags == custom.tags);  // it lies behind more than is read at first
    request.text = "needle";
    const auto found = t.get_value(t.store.list(request));
    CHECK(found.looked_at == 3);
    REQUIRE(found.jobs.size() == 1);
    CHECK(found.jobs[0].job.jid == "big");
}

}  // namespace jobq::test
