// The Store contract (core/store/store.h) as sentences: coming, running, ending. Each case runs on
// the model and on RedisStore. People's operations are in conformance_change_test.cpp.
#include "tests/store/conformance.h"

namespace jobq::test {

TEMPLATE_TEST_CASE("a new job is ready in its queue, a later one scheduled", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    CHECK(t.push({a_job("email", "a"), a_job_at(t.now() + 60'000, "b"), a_job_at(t.now(), "c")}) ==
          Texts{"ready a", "scheduled b", "ready c"});
    CHECK(t.dump() ==
          "queues: default(2)\n"
          "ready/default: a c\n"
          "scheduled: b@+61000\n"
          "stats: enqueued=3 scheduled=1 ready=2\n");
}

TEMPLATE_TEST_CASE("a job is given to its handler as it was enqueued", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    Job job = a_job("My::Worker", "a");
    job.args = R"([{"n":123456789012345678901234567890,"text":"\u0000 \n"}])";
    job.retry = -1;
    job.max_attempts = 7;
    job.timeout_ms = 1234;
    job.reserve_for_s = 60;
    job.expires_ms = t.now() + 1;
    job.at = "2026-11-22T00:00:00Z";
    job.custom = R"({"a":[]})";
    job.tags = R"(["x"])";
    job.idempotency_key = "key";
    job.traceparent = "00-1-2-01";
    t.push({job});
    auto lease = t.take();
    CHECK(lease.job == job);
    CHECK(lease.record == JobRecord{});
    CHECK(lease.started_ms == t.now());
    CHECK_FALSE(lease.token.empty());
    auto view = t.view("a");
    CHECK(view.state == State::running);
    CHECK(view.owner == "pool1");
    CHECK(view.token == lease.token);
    CHECK(view.started_ms == lease.started_ms);
    CHECK(view.job == job);
}

TEMPLATE_TEST_CASE("a repeat of an enqueue is the same job, another job of that jid a duplicate",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    Job job = a_job("email", "a");
    CHECK(t.push({job}) == Texts{"ready a"});
    Job again = job;
    again.created_ms += 50;  // the server's own mark
    CHECK(t.push({again}) == Texts{"same a"});
    Job other = job;
    other.args = "[2]";
    CHECK(t.push({other, a_job("email", "b")}) == Texts{"DUPLICATE", "ready b"});
    t.take();
    CHECK(t.push({job}) == Texts{"same a"});
    CHECK(t.stats().enqueued == 2);
}

TEMPLATE_TEST_CASE("one jid twice in one call is stored once", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    CHECK(t.push({a_job("email", "a"), a_job("email", "a"), a_job("sms", "a")}) ==
          Texts{"ready a", "same a", "DUPLICATE"});
    CHECK(t.fetch_jids({"default"}, 5) == Texts{"a"});
}

TEMPLATE_TEST_CASE("a jid that is over may be pushed again and runs again", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    CHECK(t.end(t.take(), Move::succeed) == "ok");
    CHECK(t.state("a") == "succeeded");
    CHECK(t.push({a_job("email", "a")}) == Texts{"ready a"});
    CHECK(t.state("a") == "ready");
    CHECK(t.end(t.take(), Move::succeed) == "ok");
    CHECK(t.stats().succeeded == 2);
}

TEMPLATE_TEST_CASE("an idempotency key gives the job it has, until its window is over", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    auto keyed = [](std::string jid) {
        Job job = a_job("email", jid);
        job.idempotency_key = "order 7";
        return job;
    };
    CHECK(t.push({keyed("a"), keyed("b")}) == Texts{"ready a", "existing a"});
    CHECK(t.push({keyed("a")}) == Texts{"same a"});
    t.end(t.take(), Move::succeed);
    CHECK(t.push({keyed("c")}) == Texts{"existing a"});  // also when it is over
    t.reactor.advance(limits::kIdempotencyWindowMs);
    CHECK(t.push({keyed("d")}) == Texts{"ready d"});
    CHECK(t.push({keyed("e")}) == Texts{"existing d"});
    t.reactor.advance(limits::kIdempotencyWindowMs);
    t.done(t.store.purge(t.now()));
    CHECK(t.push({keyed("f")}) == Texts{"ready f"});
}

TEMPLATE_TEST_CASE("a fetch tries queues in order, high priorities first, oldest first", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job_in("low", "l1"), a_job_in("high", "h1"), a_job_in("low", "l2"),
            a_job_in("high", "h2"), a_job_in("low", "urgent", 9), a_job_in("low", "last", 1)});
    CHECK(t.fetch_jids({"high", "low"}, 3) == Texts{"h1", "h2", "urgent"});
    CHECK(t.fetch_jids({"low", "high"}, 2) == Texts{"l1", "l2"});
    CHECK(t.fetch_jids({"other", "high", "low"}, 10) == Texts{"last"});
    CHECK(t.fetch_jids({"high", "low"}, 10).empty());
    CHECK(t.stats().running == 6);
}

TEMPLATE_TEST_CASE("a fetch of nothing leaves no trace", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    CHECK(t.fetch_jids({"default", "other"}, 3).empty());
    CHECK(t.fetch_jids({}, 3).empty());
    CHECK(t.dump().empty());
}

TEMPLATE_TEST_CASE("a fetch uses the token it is given", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    FetchRequest request;
    request.owner = "pool1";
    request.queues = {"default"};
    request.token = "mine";
    CHECK(t.get_value(t.store.fetch(request))[0].token == "mine");
    CHECK(t.view("a").token == "mine");
}

TEMPLATE_TEST_CASE("nothing is fetched from a paused queue until it is resumed", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job_in("mail", "a"), a_job_in("mail", "b", 8), a_job_in("sms", "c")});
    t.done(t.store.pause({"mail", "new"}, true));
    CHECK(t.fetch_jids({"mail", "new", "sms"}, 5) == Texts{"c"});
    t.push({a_job_in("mail", "d")});
    CHECK(t.fetch_jids({"mail"}, 5).empty());
    t.done(t.store.pause({"mail", "unknown"}, false));
    CHECK(t.fetch_jids({"mail"}, 5) == Texts{"b", "a", "d"});
    auto queues = t.get_value(t.store.queues(false));
    REQUIRE(queues.size() == 3);
    CHECK(queues[1].name == "new");
    CHECK(queues[1].paused);
    CHECK_FALSE(queues[0].paused);
}

TEMPLATE_TEST_CASE("an attempt that succeeds leaves a record with its result and log", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    auto lease = t.take();
    Finish end = an_end("pool1", lease, Move::succeed);
    end.final.worker = "pool1/2";
    end.final.result = std::string("\0\xFF bytes", 8);
    end.final.exit_code = 0;
    end.final.user_cpu_ms = 12;
    end.log = "said something";
    CHECK(t.finish(end) == "ok");
    auto view = t.view("a");
    CHECK(view.state == State::succeeded);
    CHECK(view.final == end.final);
    CHECK(view.job.type == "email");
    auto logs = t.get_value(t.store.logs("a"));
    REQUIRE(logs.size() == 1);
    CHECK(logs[0].attempt == 1);
    CHECK(logs[0].text == "said something");
    CHECK(t.finish(end) == "LEASE_LOST");  // once and no more
    CHECK(t.stats().processed == 1);
    CHECK(t.stats().running == 0);
}

TEMPLATE_TEST_CASE("each move puts the job in its place and counts", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<Job> jobs;
    for (const char* jid : {"succ", "retr", "dead", "drop", "canc", "rele", "snoo", "expi"})
        jobs.push_back(a_job("email", jid));
    t.push(jobs);
    auto leases = t.fetch({"default"}, 8);
    constexpr Move kMoves[] = {Move::succeed, Move::retry,   Move::dead,   Move::drop,
                               Move::cancel,  Move::release, Move::snooze, Move::drop};
    std::vector<Finish> batch;
    for (size_t i = 0; i < leases.size(); ++i)
        batch.push_back(an_end("pool1", leases[i], kMoves[i], t.now() + 5'000));
    batch[2].transition.record.reason = "rejected";
    batch[7].final.state = State::expired;
    CHECK(outcomes(t.get_value(t.store.finish(batch))) == Texts(8, "ok"));
    CHECK(t.dump() ==
          "queues: default(1)\n"
          "ready/default: rele\n"
          "scheduled: snoo@+6000\n"
          "retrying: retr@+6000 #1\n"
          "dead: dead@+1000 #1 rejected\n"
          "succeeded: succ #1 @+1001\n"
          "cancelled: canc #1 @+1001\n"
          "expired: expi #1 @+1001\n"
          "owners: pool1(beat 0, running 0)\n"
          "stats: enqueued=8 succeeded=1 failed_attempts=3 died=1 cancelled=1 expired=1 dropped=1 "
          "processed=5 scheduled=1 retrying=1 dead=1 ready=1\n");
    CHECK(t.state("drop") == "none");
}

TEMPLATE_TEST_CASE("a stale or foreign token changes nothing", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    auto first = t.take();
    t.end(first, Move::release);
    auto second = t.take();
    std::string before = t.dump();
    for (Move move : {Move::succeed, Move::retry, Move::dead, Move::drop, Move::cancel,
                      Move::release, Move::snooze}) {
        INFO(int(move));
        CHECK(t.end(first, move, t.now()) == "LEASE_LOST");
        Finish foreign = an_end("pool2", second, move, t.now());
        CHECK(t.finish(foreign) == "LEASE_LOST");
        Finish shorter = an_end("pool1", second, move, t.now());
        shorter.token.pop_back();
        CHECK(t.finish(shorter) == "LEASE_LOST");
        Finish unknown = an_end("pool1", second, move, t.now());
        unknown.jid = "never";
        CHECK(t.finish(unknown) == "LEASE_LOST");
    }
    CHECK(t.dump() == before);
    CHECK(t.end(second, Move::succeed) == "ok");
}

TEMPLATE_TEST_CASE("in one batch each attempt has its own answer, and a repeat is refused", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c")});
    auto leases = t.fetch({"default"}, 3);
    auto end_all = [&](Move move) {
        std::vector<Finish> batch;
        for (const auto& lease : leases)
            batch.push_back(an_end("pool1", lease, move, t.now()));
        batch[1].token = "stale";
        batch.push_back(batch[0]);
        return outcomes(t.get_value(t.store.finish(batch)));
    };
    CHECK(end_all(Move::retry) == Texts{"ok", "LEASE_LOST", "ok", "LEASE_LOST"});
    t.get_value(t.store.promote(t.now(), 10));
    leases = t.fetch({"default"}, 3);
    REQUIRE(leases.size() == 2);
    CHECK(end_all(Move::succeed) == Texts{"ok", "LEASE_LOST", "LEASE_LOST"});
    CHECK(t.stats().succeeded == 1);
    CHECK(t.stats().running == 2);
}

TEMPLATE_TEST_CASE("a released job is the next of its list and has spent no attempt", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    auto lease = t.take();
    CHECK(t.end(lease, Move::release) == "ok");
    auto again = t.take();
    CHECK(again.job.jid == "a");
    CHECK(again.record.attempts == 0);
    CHECK(again.token != lease.token);
}

TEMPLATE_TEST_CASE("jobs that are released together wait again in the order they had", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c"), a_job("email", "d")});
    FetchRequest request;
    request.owner = "pool";
    request.queues = {"default"};
    request.count = 3;
    std::vector<Finish> back;
    for (const auto& lease : t.get_value(t.store.fetch(request))) {
        back.push_back(finish_of(lease, "pool"));
        back.back().transition.move = Move::release;
    }
    for (const auto& result : t.get_value(t.store.finish(std::move(back))))
        CHECK(result);
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"a", "b", "c", "d"});
}

TEMPLATE_TEST_CASE("due jobs become ready oldest first, whatever they waited for", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "r")});
    t.end(t.take(), Move::retry, t.now() + 2'000);
    t.push({a_job_at(t.now() + 3'000, "c"), a_job_at(t.now() + 1'000, "a"),
            a_job_at(t.now() + 9'000, "later")});
    int64_t start = t.now();
    auto none = t.get_value(t.store.promote(start + 999, 10));
    CHECK(none.queues.empty());
    CHECK(none.next_due_ms == start + 1'000);
    CHECK_FALSE(none.more);
    auto one = t.get_value(t.store.promote(start + 5'000, 2));
    CHECK(one.queues == std::map<std::string, int>{{"default", 2}});
    CHECK(one.more);
    auto rest = t.get_value(t.store.promote(start + 5'000, 2));
    CHECK(rest.queues == std::map<std::string, int>{{"default", 1}});
    CHECK_FALSE(rest.more);
    CHECK(rest.next_due_ms == start + 9'000);
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"a", "r", "c"});
    CHECK(t.get_value(t.store.promote(start + 9'000, 9)).next_due_ms == 0);
}

TEMPLATE_TEST_CASE("a retried job comes back with its record", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    Finish end = an_end("pool1", t.take(), Move::retry, t.now() + 10);
    Attempt attempt;
    attempt.number = 1;
    attempt.message = "no route to host";
    end.transition.record.errors.push_back(attempt);
    end.transition.record.next_at_ms = t.now() + 10;
    end.log = "log of attempt 1";
    CHECK(t.finish(end) == "ok");
    CHECK(t.view("a").record == end.transition.record);
    CHECK(t.view("a").at_ms == t.now() + 10);
    t.get_value(t.store.promote(t.now() + 10, 1));
    auto lease = t.take();
    CHECK(lease.record == end.transition.record);
    CHECK(t.get_value(t.store.logs("a"))[0].text == "log of attempt 1");
}

TEMPLATE_TEST_CASE("a take-over moves jobs under new tokens, the old ones are stale", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c")});
    auto old = t.fetch({"default"}, 3, "runner");
    int64_t started = t.now();
    t.reactor.advance(500);
    t.cancel("b");
    std::vector<LeaseName> stale{{"a", "another"}};
    CHECK(t.get_value(t.store.take_over("runner", "pool1", stale, 10)).empty());
    std::vector<LeaseName> some{{"b", old[1].token}, {"unknown", ""}};
    auto one = t.get_value(t.store.take_over("runner", "pool1", some, 10));
    REQUIRE(jids_of(one) == Texts{"b"});
    CHECK(one[0].cancelled);
    CHECK(one[0].started_ms == started);
    CHECK(one[0].token != old[1].token);
    CHECK(t.view("b").started_ms == started);
    CHECK(t.finish(an_end("runner", old[1], Move::succeed)) == "LEASE_LOST");

    CHECK(t.get_value(t.store.take_over("runner", "pool1", {}, 1)).size() == 1);
    CHECK(t.get_value(t.store.owners()).size() == 2);
    auto rest = t.get_value(t.store.take_over("runner", "pool1", {}, 10));
    CHECK(rest.size() == 1);
    CHECK_FALSE(rest[0].cancelled);
    auto owners = t.get_value(t.store.owners());
    REQUIRE(owners.size() == 1);  // the runner holds nothing and is forgotten
    CHECK(owners[0].owner == "pool1");
    CHECK(owners[0].running == 3);
    CHECK(t.end(rest[0], Move::release) == "ok");
}

TEMPLATE_TEST_CASE("beats count for each owner", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({a_job("email", "a")});
    t.take();
    t.done(t.store.beat({"pool1", "runner"}));
    t.done(t.store.beat({"pool1"}));
    CHECK(t.dump().find("owners: pool1(beat 2, running 1) runner(beat 1, running 0)\n") !=
          std::string::npos);
}

}  // namespace jobq::test
