// Every script answers in every way its header names: one run through the store reaches all of
// them, watched on the link. A new script, or a new return code, has to be added here.
#include <array>
#include <map>
#include <set>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

// The queue of a callback, told behind a script's own answers.
bool is_queue(const Reply& item) {
    return item.text == "cb";
}

// Which kinds of answer a reply holds, in words.
std::set<std::string> kinds_of(const std::string& script, const Reply& reply) {
    std::set<std::string> kinds;
    auto add_items = [&](auto word) {
        for (const auto& item : reply.items)
            kinds.insert(word(item));
    };
    auto number = [](const Reply& item) { return std::to_string(integer_of(item)); };
    if (reply.kind == Reply::Kind::integer) {
        kinds.insert(script == "unpark" && reply.integer > 0 ? "n" : number(reply));
    } else if (script == "enqueue" || script == "import") {
        add_items([](const Reply& item) {
            return item.text.empty() ? "stored" : item.text.substr(0, 1);
        });
    } else if (script == "cancel") {
        add_items([](const Reply& item) {
            return is_queue(item) ? "queue" : item.text.substr(0, item.text.find(' '));
        });
    } else if (script == "clear" || script == "purge" || script == "batch_open") {
        for (const auto& item : reply.items)
            if (is_queue(item)) kinds.insert("queue");
        if (script == "clear") kinds.insert("rows");
        std::string word = script == "purge" ? "more " : "known ";
        if (script != "clear") kinds.insert(word + number(reply.items[0]));
    } else if (script == "get") {
        add_items([](const Reply& item) { return item.items.empty() ? "" : item.items[0].text; });
    } else if (script == "defer" || script == "done" || script == "release" || script == "remove" ||
               script == "kill" || script == "requeue") {
        add_items(
            [&](const Reply& item) { return is_queue(item) ? "queue" : "[" + number(item) + "]"; });
    } else if (script == "fetch" || script == "fetch_throttled") {
        kinds.insert("more " + number(reply.items[0]));
        kinds.insert(reply.items[1].items.empty() ? "none" : "jobs");
        if (reply.items.size() > 3) kinds.insert("records");
    } else if (script == "promote") {
        kinds.insert("more " + number(reply.items[1]));
        kinds.insert(reply.items[0].text.empty() ? "no next" : "next");
    } else if (script == "place") {
        kinds.insert(integer_of(reply.items[0]) < 0 ? "not found" : "found");
    } else if (script == "list_done" || script == "list_ready" || script == "list_set") {
        kinds.insert(reply.items[0].text.empty() ? "end" : "cursor");
    } else {
        kinds.insert(reply.items.empty() ? "empty" : "rows");
    }
    return kinds;
}

using Kinds = std::map<std::string, std::set<std::string>>;

const Kinds kExpected{
    {"adopt", {"empty"}},
    {"batch_get", {"empty", "rows"}},
    {"batch_new", {"0", "1"}},
    {"batch_open", {"known 0", "known 1", "queue"}},
    {"beat", {"0"}},
    {"cancel", {"ready", "scheduled", "retrying", "dead", "running", "", "queue"}},
    {"causes", {"rows"}},
    {"clear", {"rows", "queue"}},
    {"count_failed", {"0", "1"}},
    {"defer", {"0", "[0]", "[-1]", "[-2]", "queue"}},
    {"done", {"0", "[0]", "[-1]", "queue"}},
    {"enqueue", {"0", "stored", "=", "!", "u", "b"}},
    {"fetch", {"more 0", "more 1", "jobs", "none", "records"}},
    {"fetch_throttled", {"more 0", "more 1", "jobs", "none", "records"}},
    {"flush", {"0"}},
    {"get", {"", "done", "other", "ready", "scheduled", "retrying", "dead", "running"}},
    {"import", {"0", "stored", "=", "m"}},
    {"kill", {"[1]", "[0]", "queue"}},
    {"list_done", {"end", "cursor"}},
    {"list_ready", {"end", "cursor"}},
    {"list_running", {"empty", "rows"}},
    {"list_set", {"end", "cursor"}},
    {"logs", {"rows"}},
    {"owners", {"empty", "rows"}},
    {"pause", {"0"}},
    {"place", {"not found", "found"}},
    {"promote", {"more 0", "more 1", "no next", "next"}},
    {"push", {"0", "1"}},
    {"purge", {"more 0", "more 1", "queue"}},
    {"queues", {"rows"}},
    {"release", {"0", "[0]", "[-1]", "[-2]"}},
    {"remove", {"[1]", "[0]", "[-1]", "queue"}},
    {"requeue", {"[1]", "[0]"}},
    {"stats", {"rows"}},
    {"take_over", {"empty", "rows"}},
    {"track", {"0", "1"}},
    {"track_get", {"rows"}},
    {"unpark", {"0", "n"}},
};

using RedisTest = StoreTest<OnRedis>;

// As a jobqd of schema 2 leaves it: one of its pools could not run a job and parked it.
void park(RedisTest& t, const std::string& jid) {
    t.link.command("LPUSH", std::string_view("jobq:{test}:q:parked:e"), jid);
    t.link.command("HSET", std::string_view("jobq:{test}:queues"), std::string_view("parked"),
                   std::string_view("e"));
    t.link.command("SET", std::string_view("jobq:{test}:schema"), std::string_view("2"));
}

// As a store of an older jobqd is: it is taken up, and its failed jobs are counted.
void take_up(RedisTest& t) {
    Command forget("HDEL", std::string_view("jobq:{test}:stat"), std::string_view("adopted"),
                   std::string_view("counted"));
    REQUIRE(run_task(t.reactor, t.link.call(std::move(forget))));
    t.done(t.store.open());
    while (t.get_value(t.store.count_failed())) {
    }
    CHECK_FALSE(t.get_value(t.store.count_failed()));
    CHECK(t.get_value(t.store.failed_groups()).all);
}

void look_at_all(RedisTest& t) {
    t.dump();
    take_up(t);
    t.list(State::scheduled);
    ListRequest search;
    search.queue = "default";
    search.heads = true;
    search.text = "in no job";
    t.get_value(t.store.list(search));
    park(t, "nothing");
    t.done(t.store.open());
    t.get_value(t.store.take_over("nobody", "pool1", {}, 1));
}

// Jobs in each state, then each operation on each of them.
void live_and_end(RedisTest& t) {
    std::vector<Job> jobs;
    for (int i = 0; i < 12; ++i)
        jobs.push_back(a_job("email", "j" + std::to_string(i)));
    jobs.push_back(a_job_at(t.now() + 50, "later1"));
    jobs.push_back(a_job_at(t.now() + 60, "later2"));
    t.push(jobs);
    t.push({a_job("email", "j0")});
    for (const char* jid : {"j3", "later1"})
        t.get_value(t.store.place_in_line(jid, "default", limits::kPriorityNormal));
    Job keyed = a_job("email", "keyed");
    keyed.idempotency_key = "k";
    t.push({keyed});
    keyed.jid = "other";
    t.push({keyed, a_job("sms", "j0"), a_job("email", "new")});

    auto leases = t.fetch({"default"}, 8);
    t.cancel("j5");
    for (Move move : {Move::retry, Move::release, Move::succeed}) {
        size_t first = move == Move::retry ? 0 : move == Move::release ? 1 : 2;
        std::vector<Finish> batch{an_end("pool1", leases[first], move, t.now() + 10),
                                  an_end("pool1", leases[5], move, t.now() + 10),
                                  an_end("pool1", leases[6], move, t.now() + 10)};
        if (move == Move::succeed) batch[1].token = "stale";
        batch[2].token = "stale";
        t.get_value(t.store.finish(batch));
    }
    t.end(leases[3], Move::release);
    t.end(leases[4], Move::dead);
    t.end(leases[6], Move::retry, t.now() + 20);
    t.end(leases[7], Move::succeed);
    look_at_all(t);

    t.push({a_job_in("again", "with record")});
    t.end(t.fetch({"again"}).at(0), Move::retry, t.now());
    t.get_value(t.store.promote(t.now(), 100));
    CHECK(t.fetch({"again"}).size() == 1);

    t.get_value(t.store.take_over("pool1", "pool2", {}, 9));
    t.get_value(t.store.promote(t.now() + 50, 1));
    t.get_value(t.store.get({"later1", "j5", "j4", "j7", "unknown"}));
    for (const char* jid : {"j5", "later2", "unknown"})
        t.kill(jid);
    for (const char* jid : {"later2", "j5"})
        t.requeue(jid);
    for (const char* jid : {"j8", "j5", "unknown"})
        t.remove(jid);
    t.push({a_job_at(t.now() + 500, "at")});
    for (const char* jid : {"j9", "at", "j6", "j4", "j5", "unknown"})
        t.cancel(jid);
    t.get_value(t.store.promote(t.now() + 1'000, 100));
    t.done(t.store.beat({"pool1"}));
    t.done(t.store.pause({"default"}, true));
    t.get_value(t.store.clear("default", true));
}

// A committed batch with one job, and tries that its lock and a wrong batch refuse.
void push_batch(RedisTest& t, std::string jid, int64_t run_at_ms = 0) {
    BatchSpec spec;
    spec.bid = "b-" + jid;
    spec.complete = a_job_in("cb", "callback-" + jid);
    t.done(t.store.make_batch(spec));
    Job job = a_job_in("tied", jid);
    job.run_at_ms = run_at_ms;
    Ties ties;
    ties.bid = spec.bid;
    ties.lock = "digest-" + jid;
    ties.lock_for_ms = 60'000;
    ties.tracked = true;
    job.ties = std::make_shared<const Ties>(ties);
    t.push({job});
    t.done(t.store.open_batch(spec.bid, false));
    Job like = job, lost = job;
    like.jid = lost.jid = "like";
    ties.bid = "b-none";
    lost.ties = std::make_shared<const Ties>(ties);
    CHECK(t.push({like, lost}) == Texts{"NOTUNIQUE", "NOT_FOUND"});
}

// Callbacks fire by each way in which the last job of a batch can end.
void fire_callbacks(RedisTest& t) {
    push_batch(t, "ends");
    t.end(t.fetch({"tied"}).at(0), Move::succeed);
    push_batch(t, "fails");
    t.end(t.fetch({"tied"}).at(0), Move::retry, t.now() + 1'000);
    push_batch(t, "cancel");
    t.cancel("cancel");
    push_batch(t, "remove");
    t.remove("remove");
    push_batch(t, "kill", t.now() + 1'000);
    t.kill("kill");
    push_batch(t, "clear");
    t.get_value(t.store.clear("tied", false));
    push_batch(t, "opened");
    t.done(t.store.open_batch("b-opened", true));
    t.end(t.fetch({"tied"}).at(0), Move::succeed);
    t.reactor.advance(limits::kBatchPatienceMs);
    t.done(t.store.purge(t.now()));
    push_batch(t, "closed");
    t.done(t.store.open_batch("b-closed", true));
    t.end(t.fetch({"tied"}).at(0), Move::succeed);
    t.done(t.store.open_batch("b-closed", false));

    CHECK(t.get_value(t.store.track({"kill", 1, "", 0})));
    CHECK_FALSE(t.get_value(t.store.track({"unknown", 1, "", 0})));
    t.get_value(t.store.progress({"kill"}));
    t.get_value(t.store.batch("b-ends"));
    run_task(t.reactor, t.store.batch("b-none"));
    run_task(t.reactor, t.store.open_batch("b-none", true));
    BatchSpec child;
    child.bid = "b-child";
    child.parent = "b-none";
    run_task(t.reactor, t.store.make_batch(child));
}

void fetch_throttled(RedisTest& t, std::string queue) {
    FetchRequest request;
    request.owner = "pool1";
    request.queues = {queue};
    request.throttles[queue].in_all = 1'000;
    t.get_value(t.store.fetch(request));
}

void bring_in(RedisTest& t) {
    t.push({a_job("email", "live"), a_job("email", "ghost")});
    t.cancel("ghost");
    std::vector<Imported> jobs(4);
    for (size_t i = 0; i < jobs.size(); ++i)
        jobs[i].job = a_job("email", std::array{"in1", "in2", "live", "ghost"}[i]);
    t.get_value(t.store.bring_in({jobs[0]}));
    t.get_value(t.store.bring_in(jobs));
}

void work_in_bulk(RedisTest& t) {
    std::vector<Job> jobs;
    std::vector<std::string> jids;
    for (int i = 0; i < 1'100; ++i) {
        jobs.push_back(a_job("email", "b" + std::to_string(i)));
        jobs.back().idempotency_key = "key" + std::to_string(i);
        jids.push_back(jobs.back().jid);
    }
    t.push(jobs);
    t.get_value(t.store.cancel(jids));
    CHECK(t.fetch({"default"}).empty());  // more than one call's worth of cancelled jobs
    for (auto& job : jobs)
        job.idempotency_key.clear();
    t.push(jobs);
    t.get_value(t.store.cancel(jids));
    fetch_throttled(t, "default");
    t.list(State::cancelled);
    t.reactor.advance(3 * limits::kIdempotencyWindowMs);
    t.done(t.store.purge(t.now()));
}

}  // namespace

TEST_CASE("every script is met in every way it can answer") {
    RedisTest t;
    Kinds seen;
    t.link.on_reply = [&](const std::string& wire, const Reply& reply) {
        for (const Script& script : all_scripts())
            if (wire.find(script.sha) != wire.npos && !reply.is_error())
                seen[std::string(script.name)].merge(kinds_of(std::string(script.name), reply));
    };
    look_at_all(t);
    live_and_end(t);
    look_at_all(t);
    fire_callbacks(t);
    t.push({a_job_in("slots", "slot record")});
    t.end(t.fetch({"slots"}).at(0), Move::retry, t.now());
    t.get_value(t.store.promote(t.now(), 100));
    fetch_throttled(t, "slots");
    t.done(t.store.flush());
    bring_in(t);
    t.done(t.store.flush());
    work_in_bulk(t);
    size_t checks = 0;  // of the doctor: what they can find is the table of doctor_test.cpp
    for (const Script& script : all_scripts()) {
        std::string name(script.name);
        checks += name.starts_with("check_");
        if (name.starts_with("check_")) continue;
        INFO("script " << name);
        REQUIRE(kExpected.count(name) == 1);
        CHECK(seen[name] == kExpected.at(name));
    }
    CHECK(kExpected.size() == all_scripts().size() - checks);
}

}  // namespace jobq::test
