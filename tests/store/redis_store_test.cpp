// What only a store on Redis can meet: lost answers, lost scripts, another daemon, damaged data, a
// full memory, a restart.
#include <set>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

using RedisTest = StoreTest<OnRedis>;

std::string try_push(RedisTest& t, std::vector<Job> jobs) {
    auto results = run_task(t.reactor, t.store.enqueue(std::move(jobs))).value();
    std::string text;
    for (const auto& result : results)
        text += text_of(result) + " ";
    return text;
}

}  // namespace

TEST_CASE("a command that Redis does not permit leaves nothing half done") {
    for (const char* command :
         {"hset", "hsetnx", "hdel", "hincrby", "zadd", "zrem", "lpush", "rpush", "rpop"}) {
        INFO(command);
        RedisTest t;
        t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c"),
                a_job_at(t.now() + 50, "d")});
        const auto first = t.take(), second = t.take(), third = t.take();
        std::string answers;
        auto tried = [&](const std::string& answer, const std::string& before) {
            answers += answer + " ";
            if (answer.find("UNAVAILABLE") != answer.npos) CHECK(t.dump() == before);
        };
        t.link.command("ACL", "SETUSER", "default", std::string("-") + command);
        std::string before = t.dump();
        tried(try_push(t, {a_job("email", "e")}), before);
        before = t.dump();
        tried(try_push(t, {a_job_at(t.now() + 500, "f")}), before);
        before = t.dump();
        FetchRequest more;
        more.owner = "pool9";
        more.queues = {"default"};
        tried(outcome(run_task(t.reactor, t.store.fetch(more))), before);
        before = t.dump();
        tried(t.end(first, Move::retry, t.now() + 100), before);
        before = t.dump();
        tried(t.end(second, Move::succeed), before);
        before = t.dump();
        tried(t.end(third, Move::release), before);
        before = t.dump();
        tried(outcome(run_task(t.reactor, t.store.promote(t.now() + 100, 9))), before);
        before = t.dump();
        tried(outcome(run_task(t.reactor, t.store.take_over("pool1", "pool2", {}, 9))), before);
        t.link.command("ACL", "SETUSER", "default", "+@all");
        CHECK(answers.find("UNAVAILABLE") != answers.npos);
    }
}

TEST_CASE("a repeat after a lost answer changes nothing more, whatever the operation") {
    RedisTest t;
    t.link.lose_replies(1);
    CHECK(try_push(t, {a_job("email", "a")}) == "UNKNOWN ");
    CHECK(try_push(t, {a_job("email", "a")}) == "same a ");
    auto lease = t.take();

    auto twice = [&](auto operation, const char* first, const char* second) {
        t.link.lose_replies(1);
        CHECK(operation() == first);
        std::string once = t.dump();
        CHECK(operation() == second);
        CHECK(t.dump() == once);
    };
    auto finish = [&] { return t.end(lease, Move::retry, t.now() + 100); };
    twice(finish, "UNKNOWN", "LEASE_LOST");
    auto promote = [&] { return outcome(run_task(t.reactor, t.store.promote(t.now() + 100, 9))); };
    twice(promote, "UNKNOWN", "ok");
    lease = t.take();
    auto release = [&] { return t.end(lease, Move::release); };
    twice(release, "UNKNOWN", "LEASE_LOST");
    lease = t.take();
    auto take_over = [&] {
        return outcome(run_task(t.reactor, t.store.take_over("pool1", "pool2", {}, 9)));
    };
    twice(take_over, "UNKNOWN", "ok");
    auto succeed = [&] {
        Finish end = an_end("pool2", lease, Move::succeed);
        end.token = t.view("a").token;
        return end;
    }();
    twice([&] { return t.finish(succeed); }, "UNKNOWN", "LEASE_LOST");
    auto pause = [&] { return outcome(run_task(t.reactor, t.store.pause({"mail"}, true))); };
    twice(pause, "UNKNOWN", "ok");
    t.push({a_job("email", "b")});
    auto flush = [&] { return outcome(run_task(t.reactor, t.store.flush())); };
    twice(flush, "UNKNOWN", "ok");
}

TEST_CASE("a fetch whose answer was lost can be found by its token and taken over") {
    RedisTest t;
    t.push({a_job("email", "a")});
    FetchRequest request;
    request.owner = "pool1";
    request.queues = {"default"};
    request.token = "mine-1";
    t.link.lose_replies(1);
    CHECK(outcome(run_task(t.reactor, t.store.fetch(request))) == "UNKNOWN");
    CHECK(t.view("a").token == "mine-1");
    std::vector<LeaseName> lost{{"a", "mine-1"}};
    auto found = t.get_value(t.store.take_over("pool1", "pool1", lost, 1));
    REQUIRE(found.size() == 1);
    CHECK(t.end(found[0], Move::succeed) == "ok");
}

TEST_CASE("a call that is not sent fails as unavailable and does nothing") {
    RedisTest t;
    t.push({a_job("email", "a")});
    std::string before = t.dump();
    t.link.refuse_calls(100);
    CHECK(try_push(t, {a_job("email", "b"), a_job("email", "c")}) == "UNAVAILABLE UNAVAILABLE ");
    CHECK(outcome(run_task(t.reactor, t.store.stats())) == "UNAVAILABLE");
    CHECK(outcome(run_task(t.reactor, t.store.get({"a"}))) == "UNAVAILABLE");
    CHECK(outcome(run_task(t.reactor, t.store.cancel({"a"}))) == "UNAVAILABLE");
    CHECK(outcome(run_task(t.reactor, t.store.open())) == "UNAVAILABLE");
    t.link.refuse_calls(0);
    CHECK(t.dump() == before);
}

TEST_CASE("scripts that Redis has forgotten are sent again") {
    RedisTest t;
    t.push({a_job("email", "a")});
    CHECK(t.link.command("SCRIPT", std::string_view("FLUSH")).text == "OK");
    auto lease = t.take();
    t.link.command("SCRIPT", std::string_view("FLUSH"));
    CHECK(t.end(lease, Move::succeed) == "ok");
    int before = t.link.calls();
    t.push({a_job("email", "b")});
    CHECK(t.link.calls() == before + 2);  // by its hash, then whole
    t.push({a_job("email", "c")});
    CHECK(t.link.calls() == before + 3);
}

TEST_CASE("thousands of jobs in one call take a few script calls and are answered in order") {
    RedisTest t;
    std::vector<Job> jobs;
    for (int i = 0; i < 2'100; ++i)
        jobs.push_back(a_job("email", "j" + std::to_string(i)));
    jobs[1'234] = a_job("sms", "j7");
    int before = t.link.calls();
    auto answers = t.push(jobs);
    CHECK(t.link.calls() - before ==
          7);  // five batches, one again by `enqueue`, a look at the live j7
    REQUIRE(answers.size() == jobs.size());
    CHECK(answers[0] == "ready j0");
    CHECK(answers[1'234] == "DUPLICATE");
    CHECK(answers[2'099] == "ready j2099");

    auto leases = t.fetch({"default"}, 500);
    REQUIRE(leases.size() == 500);
    std::vector<Finish> batch;
    for (const auto& lease : leases)
        batch.push_back(an_end("pool1", lease, Move::succeed));
    before = t.link.calls();
    CHECK(outcomes(t.get_value(t.store.finish(batch))) == Texts(500, "ok"));
    CHECK(t.link.calls() - before == 1);
}

TEST_CASE("two daemons on one Redis see each other's jobs but not each other's leases") {
    RedisTest t;
    SyncLink link(t.server.socket_path());
    RedisStore other(t.reactor, link, Keys("test"), {});
    REQUIRE(run_task(t.reactor, other.open()));
    t.push({a_job("email", "a"), a_job("email", "b")});
    FetchRequest request;
    request.owner = "other/pool";
    request.queues = {"default"};
    auto theirs = run_task(t.reactor, other.fetch(request)).value();
    auto ours = t.take();
    REQUIRE(jids_of(theirs) == Texts{"a"});
    CHECK(ours.job.jid == "b");
    CHECK(ours.token != theirs[0].token);
    CHECK(t.end(theirs[0], Move::succeed) == "LEASE_LOST");
    std::vector<Finish> end{an_end("other/pool", theirs[0], Move::succeed)};
    CHECK(outcomes(run_task(t.reactor, other.finish(end)).value()) == Texts{"ok"});
    CHECK(dump(other, t.reactor) == t.dump());
}

TEST_CASE("stores of two namespaces on one Redis do not meet") {
    RedisTest t;
    RedisStore other(t.reactor, t.link, Keys("other"), {});
    REQUIRE(run_task(t.reactor, other.open()));
    t.push({a_job("email", "a")});
    CHECK(dump(other, t.reactor).empty());
    REQUIRE(run_task(t.reactor, other.flush()));
    CHECK(t.state("a") == "ready");
}

TEST_CASE(
    "hints are published for other daemons when asked for: a queue, how many jobs and their type") {
    RedisTest t;
    SyncLink listener(t.server.socket_path());
    listener.command("SUBSCRIBE", std::string_view("jobq:{test}:hint"));
    RedisStoreOptions options;
    options.publish_hints = true;
    RedisStore store(t.reactor, t.link, Keys("test"), options);
    auto told = [&] { return to_text(listener.run(Command("PING"))); };
    t.push({a_job_in("mail", "quiet")});  // by the store without hints
    CHECK(told().find("pong") != std::string::npos);
    run_task(t.reactor, store.enqueue({a_job_in("mail", "a")})).value();
    CHECK(told() == "[\"message\" \"jobq:{test}:hint\" \"mail 1 email\"]");
}

TEST_CASE("a store of a newer schema is refused, its data untouched") {
    RedisTest t;
    REQUIRE(t.link.command("GET", std::string_view("jobq:{test}:schema")).text == "3");
    t.link.command("SET", std::string_view("jobq:{test}:schema"), std::string_view("4"));
    auto result = run_task(t.reactor, t.store.open());
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::config);
    CHECK(result.error().text.find("schema 4") != std::string::npos);
    CHECK(t.link.command("GET", std::string_view("jobq:{test}:schema")).text == "4");
}

TEST_CASE("a flush keeps the schema and what is not jobq's") {
    RedisTest t;
    t.link.command("SET", std::string_view("someone"), std::string_view("else"));
    t.push({a_job("email", "a")});
    t.done(t.store.flush());
    CHECK(t.link.command("GET", std::string_view("someone")).text == "else");
    CHECK(t.link.command("GET", std::string_view("jobq:{test}:schema")).text == "3");
    CHECK(t.link.command("DBSIZE").integer == 3);  // and that nothing has to be migrated
}

TEST_CASE("a damaged record or final record is shown as corrupt, not hidden") {
    RedisTest t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    auto leases = t.fetch({"default"}, 2);
    t.end(leases[0], Move::retry, t.now());
    t.end(leases[1], Move::succeed);
    t.link.command("HSET", std::string_view("jobq:{test}:m"), std::string_view("a"),
                   std::string_view("{"));
    auto buckets = t.link.command("ZRANGE", std::string_view("jobq:{test}:buckets"), 0, -1);
    REQUIRE(buckets.items.size() == 1);
    t.link.command("HSET", "jobq:{test}:" + buckets.items[0].text, std::string_view("b"),
                   std::string_view("junk"));
    CHECK(t.view("a").corrupt);
    CHECK(t.view("b").corrupt);
    t.get_value(t.store.promote(t.now(), 9));
    CHECK(t.fetch({"default"})[0].corrupt);
}

TEST_CASE("a full Redis refuses new jobs and lets the old ones drain") {
    RedisTest t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    t.link.command("CONFIG", std::string_view("SET"), std::string_view("maxmemory"),
                   std::string_view("1"));
    CHECK(try_push(t, {a_job("email", "c")}) == "STORAGE_FULL ");
    auto leases = t.fetch({"default"}, 2);
    REQUIRE(leases.size() == 2);
    CHECK(t.end(leases[0], Move::succeed) == "ok");
    CHECK(t.end(leases[1], Move::retry, t.now()) == "ok");
    t.get_value(t.store.promote(t.now(), 9));
    CHECK(t.cancel("b") == "ready");
    CHECK(t.state("c") == "none");
}

TEST_CASE("what was acknowledged is there after Redis was killed") {
    TestReactor reactor;
    RedisServer server({true, {}});
    std::string before;
    {
        SyncLink link(server.socket_path());
        RedisStore store(reactor, link, Keys("test"), {});
        REQUIRE(run_task(reactor, store.open()));
        std::vector<Job> jobs{a_job("email", "a"), a_job("email", "b"), a_job("email", "c")};
        REQUIRE(run_task(reactor, store.enqueue(jobs)));
        FetchRequest request;
        request.owner = "pool1";
        request.queues = {"default"};
        request.count = 2;
        auto leases = run_task(reactor, store.fetch(request)).value();
        std::vector<Finish> end{an_end("pool1", leases[0], Move::succeed)};
        REQUIRE(run_task(reactor, store.finish(end)));
        before = dump(store, reactor);
    }
    server.kill();
    server.start();
    SyncLink link(server.socket_path());
    RedisStore store(reactor, link, Keys("test"), {});
    REQUIRE(run_task(reactor, store.open()));
    CHECK(dump(store, reactor) == before);
    CHECK(before.find("ready/default: c\n") != std::string::npos);
}

TEST_CASE("the few jobs of a final state are found among many of another in few steps") {
    StoreTest<OnRedis> t;
    std::vector<Job> jobs;
    for (int i = 0; i < 10'000; ++i)
        jobs.push_back(a_job("email", "j" + std::to_string(i)));
    t.push(jobs);
    t.get_value(t.store.cancel({"j17", "j9000"}));
    for (int taken = 0; taken < 9'998;) {
        std::vector<Finish> ends;
        for (const auto& lease : t.fetch({"default"}, 500))
            ends.push_back(an_end("pool1", lease, Move::succeed));
        REQUIRE(!ends.empty());
        taken += int(ends.size());
        t.get_value(t.store.finish(std::move(ends)));
    }
    ListRequest request;
    request.state = State::cancelled;
    request.limit = 100;
    std::set<std::string> found;
    int calls = 0;
    do {
        const auto page = t.get_value(t.store.list(request));
        for (const auto& job : page.jobs)
            found.insert(job.job.jid);
        request.cursor = page.next;
        ++calls;
    } while (!request.cursor.empty() && calls < 100);
    CHECK(found == std::set<std::string>{"j17", "j9000"});
    CHECK(calls <= 5);
}

TEST_CASE("workers of one owner that ask in one turn share a call, who asked first served first") {
    RedisTest t;
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c")});
    std::vector<Texts> got(4);
    const auto ask = [](RedisTest& test, std::string owner, int count, Texts& into) -> task<void> {
        FetchRequest request;
        request.owner = std::move(owner);
        request.queues = {"default"};
        request.count = count;
        auto leases = co_await test.store.fetch(std::move(request));
        into = leases ? jids_of(*leases) : Texts{leases.error().text};
    };
    const int before = t.link.calls();
    spawn(ask(t, "faktory", 1, got[0]));
    spawn(ask(t, "faktory", 1, got[1]));
    spawn(ask(t, "other", 9, got[2]));
    spawn(ask(t, "faktory", 1, got[3]));
    t.reactor.run_until_idle();
    CHECK(t.link.calls() - before == 2);
    CHECK(got == std::vector<Texts>{{"a"}, {"b"}, {}, {"c"}});
}

TEST_CASE("many large jobs are read in answers of a few MiB") {
    RedisTest t;
    std::vector<std::string> jids;
    for (int i = 0; i < 20; ++i) {
        Job job = a_job("email", "large" + std::to_string(i));
        job.args = "[\"" + std::string(900'000, 'x') + "\"]";
        jids.push_back(job.jid);
        t.push({job});
    }
    const int before = t.link.calls();
    const auto views = t.get_value(t.store.get(jids));
    CHECK(t.link.calls() - before == 4);  // five of them pass 4 MiB
    REQUIRE(views.size() == 20);
    for (size_t i = 0; i < views.size(); ++i) {
        CHECK(views[i]->job.jid == jids[i]);
        CHECK(views[i]->job.args.size() == 900'004);
    }
}

}  // namespace jobq::test
