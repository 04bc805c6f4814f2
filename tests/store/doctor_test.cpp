// The doctor against hand-made damage: each row of the table breaks one thing in a store with every
// kind of structure in use; it is found, repaired, found no more, and no job is lost by it.
#include "core/store/doctor/doctor.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "core/base/rng.h"
#include "core/job/codec.h"
#include "core/job/decide.h"
#include "tests/store/conformance.h"
#include "tests/support/checkup.h"

namespace jobq::test {
namespace {

using RedisTest = StoreTest<OnRedis>;

std::string key(const std::string& name) {
    return "jobq:{test}:" + name;
}

// A store with a job in every place, and all that stands beside jobs.
class Clinic : public RedisTest {
  public:
    Clinic() {
        Ties unique;
        unique.lock = "digest1";
        unique.lock_for_ms = 60'000;
        Ties of_batch;
        of_batch.bid = "b-1";
        of_batch.tracked = true;
        BatchSpec spec;
        spec.bid = "b-1";
        spec.complete = a_job_in("done", "callback");
        done(store.make_batch(spec));
        push({a_job_in("mail", "ready1"), a_job_in("mail", "ready2"), a_job_in("mail", "urgent", 7),
              a_job_in("sms", "unique1"), a_job_in("sms", "batched1"), a_job_in("late", "retry1"),
              a_job_in("late", "dead1"), a_job_in("late", "run1"), a_job_in("late", "run2"),
              a_job_in("mail", "gone1"), a_job_in("late", "over1"),
              a_job_at(now() + 60'000, "wait1")});
        tie("unique2", unique);
        tie("batched2", of_batch);
        auto leases = take_late();
        end(leases.at("retry1"), Move::retry, now() + 50'000);
        Finish dead = an_end("pool1", leases.at("dead1"), Move::dead);
        dead.transition.record.reason = "exhausted";
        CHECK(finish(dead) == "ok");
        end(leases.at("over1"), Move::succeed);
        CHECK(cancel("gone1") == "ready");
        ProgressUpdate progress;
        progress.jid = "batched2";
        progress.percent = 5;
        get_value(store.track(progress));
        REQUIRE(check_up(store, reactor) == "");
    }

    void tie(std::string jid, const Ties& ties) {
        Job job = a_job_in("sms", std::move(jid));
        job.ties = std::make_shared<const Ties>(ties);
        if (!ties.lock.empty()) job.idempotency_key = "key-" + job.jid;
        push({job});
    }

    template <class... Args>
    Reply redis(std::string_view verb, const Args&... args) {
        return link.command(verb, std::string_view(args)...);
    }

    // All jobs that can be run are, whatever they wait for; those of owners are taken over first.
    std::set<std::string> run_all() {
        std::set<std::string> ran;
        for (const auto& owner : get_value(store.owners()))
            if (owner.owner != "doctor")
                for (const auto& lease : get_value(store.take_over(owner.owner, "doctor", {}, 100)))
                    ran.insert(lease.job.jid);
        get_value(store.requeue({"retry1", "dead1", "wait1"}, true));
        reactor.advance(100'000);
        get_value(store.promote(now(), 100));
        done(store.open_batch("b-1", false));
        bool more = true;
        while (more) {
            more = false;
            for (const auto& queue : get_value(store.queues(false)))
                for (const auto& lease : fetch({queue.name}, 100, "doctor")) {
                    more = true;
                    if (lease.corrupt) {
                        Finish dead = an_end("doctor", lease, Move::dead);
                        dead.transition.record = buried(lease.record, lease.damage, now());
                        CHECK(finish(dead) == "ok");
                        continue;
                    }
                    INFO("ran twice: " << lease.job.jid);
                    CHECK(ran.insert(lease.job.jid).second);
                    CHECK(finish(an_end("doctor", lease, Move::succeed)) == "ok");
                }
        }
        return ran;
    }

  private:
    std::map<std::string, Leased> take_late() {
        std::map<std::string, Leased> leases;
        for (auto& lease : fetch({"late"}, 10))
            leases.emplace(lease.job.jid, lease);
        REQUIRE(leases.size() == 5);
        return leases;
    }
};

const std::set<std::string> kAll{"ready1",   "ready2",   "urgent",  "unique1", "unique2",
                                 "batched1", "batched2", "retry1",  "dead1",   "run1",
                                 "run2",     "wait1",    "callback"};

struct Row {
    const char* what;
    void (*damage)(Clinic&);
    std::set<std::string> findings;  // kinds
    std::string state;               // "JID STATE" after the repair, or ""
    std::string dead;                // the job that can't run after it
};

void flip_at(Clinic& t, const std::string& jid, std::vector<size_t> places) {
    std::string body = t.redis("HGET", key("j"), jid).text;
    for (size_t at : places)
        body[at] = char(body[at] ^ 4);
    t.redis("HSET", key("j"), jid, body);
}

void flip(Clinic& t, const std::string& jid, size_t from_end) {
    flip_at(t, jid, {t.redis("HGET", key("j"), jid).text.size() - from_end});
}

// A worker of another type has looked at all that waits there.
void pass_over(Clinic& t) {
    t.fetch({"mail"}, 1, "pool1", types_of({"none"}));
}

// clang-format off
const std::vector<Row> kRows{
    {"the lane of jobs that were passed over is lost", [](Clinic& t) { pass_over(t); t.redis("DEL", key("lane:mail:5:email")); }, {"misfiled"}, "ready1 ready", ""},
    {"jobs that were passed over are in their lane alone", [](Clinic& t) { pass_over(t); t.redis("DEL", key("passed:mail:5")); }, {"no_place", "unknown_key"}, "ready1 ready", ""},
    {"a job was passed over, and is in its list too", [](Clinic& t) { pass_over(t); t.redis("LPUSH", key("q:mail"), "ready1"); }, {"two_places"}, "ready1 ready", ""},
    {"a job was passed over in another queue", [](Clinic& t) { t.redis("ZADD", key("passed:sms:5"), "1", "ready1"); }, {"two_places", "unknown_queue"}, "ready1 ready", ""},
    {"what was passed over has no body", [](Clinic& t) { pass_over(t); t.redis("ZADD", key("passed:mail:5"), "99", "nobody"); }, {"no_body"}, "nobody none", ""},
    {"a ready job's entry is lost", [](Clinic& t) { t.redis("LREM", key("q:mail"), "0", "ready1"); }, {"no_place"}, "ready1 ready", ""},
    {"a scheduled job's entry is lost", [](Clinic& t) { t.redis("DEL", key("scheduled")); }, {"no_place"}, "wait1 scheduled", ""},
    {"a retrying job's entry is lost", [](Clinic& t) { t.redis("DEL", key("retrying")); }, {"miscounted", "no_place"}, "retry1 ready", ""},
    {"a dead job's entry is lost", [](Clinic& t) { t.redis("DEL", key("dead")); }, {"miscounted", "no_place"}, "dead1 dead", ""},
    {"a lease is lost", [](Clinic& t) { t.redis("HDEL", key("run:pool1"), "run1"); }, {"no_place"}, "run1 ready", ""},
    {"a whole queue is lost", [](Clinic& t) { t.redis("DEL", key("q:mail")); }, {"no_place", "stray_tombstone"}, "ready2 ready", ""},
    {"a job is in its queue twice", [](Clinic& t) { t.redis("LPUSH", key("q:mail"), "ready1"); }, {"two_places"}, "ready1 ready", ""},
    {"a job is in two queues", [](Clinic& t) { t.redis("LPUSH", key("q:sms"), "ready1"); }, {"two_places"}, "ready1 ready", ""},
    {"a running job is in its queue too", [](Clinic& t) { t.redis("LPUSH", key("q:late"), "run1"); }, {"two_places"}, "run1 running", ""},
    {"a running job is dead too", [](Clinic& t) { t.redis("ZADD", key("dead"), "5", "5late run1"); }, {"two_places", "uncounted"}, "run1 running", ""},
    {"a dead job is retrying too", [](Clinic& t) { t.redis("ZADD", key("retrying"), "5", "5late dead1"); }, {"two_places"}, "dead1 retrying", ""},
    {"a ready job is scheduled too", [](Clinic& t) { t.redis("ZADD", key("scheduled"), "5", "5mail ready1"); }, {"two_places"}, "ready1 ready", ""},
    {"two owners run a job", [](Clinic& t) { t.redis("HSET", key("own"), "pool2", "0"); t.redis("HSET", key("run:pool2"), "run1", "token 5"); }, {"two_places"}, "run1 running", ""},
    {"a job is in another queue's list", [](Clinic& t) { t.redis("LREM", key("q:mail"), "0", "ready1"); t.redis("LPUSH", key("q:sms"), "ready1"); }, {"misfiled"}, "ready1 ready", ""},
    {"a job waits with another priority", [](Clinic& t) { t.redis("LREM", key("q:mail:7"), "0", "urgent"); t.redis("LPUSH", key("q:mail"), "urgent"); }, {"misfiled"}, "urgent ready", ""},
    {"a scheduled job is to go to another queue", [](Clinic& t) { t.redis("DEL", key("scheduled")); t.redis("ZADD", key("scheduled"), "1999999999999", "5other wait1"); }, {"misfiled"}, "wait1 scheduled", ""},
    {"the payload of a ready job is damaged", [](Clinic& t) { flip(t, "ready1", 1); }, {"damaged"}, "ready1 dead", "ready1"},
    {"the payload of a scheduled job is damaged", [](Clinic& t) { flip(t, "wait1", 2); }, {"damaged"}, "wait1 dead", "wait1"},
    {"the checksum of a unique job is damaged", [](Clinic& t) { flip(t, "unique2", 40); }, {"damaged"}, "unique2 dead", "unique2"},
    {"the queue's name in a job is damaged", [](Clinic& t) { flip_at(t, "ready1", {3}); }, {"damaged"}, "ready1 dead", "ready1"},
    {"the head of a retrying job can't be read", [](Clinic& t) { flip_at(t, "retry1", {0, 1, 2}); }, {"damaged"}, "retry1 dead", "retry1"},
    {"a job became a tombstone with a body", [](Clinic& t) { std::string body = t.redis("HGET", key("j"), "ready1").text; body[0] = 'x'; t.redis("HSET", key("j"), "ready1", body); }, {"damaged"}, "ready1 dead", "ready1"},
    {"a stored job is empty", [](Clinic& t) { t.redis("HSET", key("j"), "ready1", ""); }, {"damaged"}, "ready1 dead", "ready1"},
    {"a record can't be read", [](Clinic& t) { t.redis("HSET", key("m"), "retry1", "{"); }, {"damaged"}, "retry1 dead", ""},
    {"a ready entry has no body", [](Clinic& t) { t.redis("LPUSH", key("q:mail"), "nobody"); }, {"no_body"}, "nobody none", ""},
    {"a scheduled entry has no body", [](Clinic& t) { t.redis("ZADD", key("scheduled"), "9", "5mail nobody"); }, {"no_body"}, "nobody none", ""},
    {"an entry of a set is no entry", [](Clinic& t) { t.redis("ZADD", key("dead"), "9", "garbage"); }, {"no_body"}, "", ""},
    {"a lease has no body", [](Clinic& t) { t.redis("HSET", key("run:pool1"), "nobody", "token 5"); }, {"no_body"}, "nobody none", ""},
    {"a lease can't be read", [](Clinic& t) { t.redis("HSET", key("run:pool1"), "run1", "garbage"); }, {"bad_lease"}, "run1 ready", ""},
    {"an owner is not known", [](Clinic& t) { t.redis("HDEL", key("own"), "pool1"); }, {"no_owner"}, "run1 running", ""},
    {"an owner's beat is no number", [](Clinic& t) { t.redis("HSET", key("own"), "pool1", "x"); }, {"bad_count"}, "", ""},
    {"a record of attempts is lost", [](Clinic& t) { t.redis("HDEL", key("m"), "retry1"); }, {"no_record"}, "retry1 retrying", ""},
    {"a record of attempts is not looked at", [](Clinic& t) { t.redis("HSET", key("m"), "ready1", "{\"attempts\":1}"); }, {"unused_record"}, "ready1 ready", ""},
    {"a record has no job", [](Clinic& t) { t.redis("HSET", key("m"), "nobody", "{}"); }, {"orphan_record"}, "", ""},
    {"a cancel has no running job", [](Clinic& t) { t.redis("HSET", key("cancel"), "ready1", "5"); }, {"orphan_cancel"}, "ready1 ready", ""},
    {"a lock is held by no job", [](Clinic& t) { t.redis("HSET", key("lock"), "digest2", "9999999999999 nobody"); }, {"orphan_lock"}, "", ""},
    {"a lock can't be read", [](Clinic& t) { t.redis("HSET", key("lock"), "digest1", "garbage"); }, {"orphan_lock"}, "unique2 ready", ""},
    {"a slot is held by a job that waits", [](Clinic& t) { t.redis("HSET", key("slot:mail"), "ready1", "w1"); }, {"orphan_slot"}, "ready1 ready", ""},
    {"a waiting job is bound to a slot", [](Clinic& t) { t.redis("HSET", key("slot:mail"), "ready1", "w1"); t.redis("HSET", key("tie"), "ready1", "qmail"); }, {"orphan_slot"}, "ready1 ready", ""},
    {"a tie has no job", [](Clinic& t) { t.redis("HSET", key("tie"), "nobody", "us-digest9"); }, {"orphan_tie"}, "", ""},
    {"progress has no job", [](Clinic& t) { t.redis("HSET", key("track:nobody"), "percent", "5"); }, {"orphan_progress"}, "", ""},
    {"a batch waits for a job that is not there", [](Clinic& t) { t.redis("HINCRBY", key("batch:b-1"), "pending", "1"); }, {"bad_batch"}, "", ""},
    {"a batch counts a life that is over", [](Clinic& t) { t.redis("HINCRBY", key("batch:b-1"), "live", "-1"); }, {"bad_batch"}, "", ""},
    {"a batch would never go", [](Clinic& t) { t.redis("ZREM", key("batches"), "b-1"); }, {"bad_batch"}, "", ""},
    {"the end of a batch that is not there", [](Clinic& t) { t.redis("ZADD", key("batches"), "5", "b-9"); }, {"bad_key"}, "", ""},
    {"tombstones of all queues are counted wrong", [](Clinic& t) { t.redis("HINCRBY", key("stat"), "tombs", "3"); }, {"bad_count"}, "", ""},
    {"the dead of a cause are counted wrong", [](Clinic& t) { t.redis("HSET", key("groups:dead"), "0badc0ffee0badc0", "7"); }, {"bad_count"}, "", ""},
    {"a job that is gone is counted", [](Clinic& t) { t.redis("HSET", key("failed"), "nobody", "7 dead 0badc0ffee0badc0 5mail"), t.redis("HSET", key("groups:dead"), "0badc0ffee0badc0", "1"); }, {"miscounted"}, "", ""},
    {"a dead job is not counted", [](Clinic& t) { t.redis("HDEL", key("failed"), "dead1"); }, {"bad_count", "uncounted"}, "dead1 dead", ""},
    {"a queue is not among the names", [](Clinic& t) { t.redis("ZREM", key("names"), "mail"); }, {"bad_queue"}, "", ""},
    {"a name of no queue", [](Clinic& t) { t.redis("ZADD", key("names"), "0", "nowhere"); }, {"bad_key"}, "", ""},
    {"tombstones are counted wrong", [](Clinic& t) { t.redis("HINCRBY", key("tomb"), "mail", "3"); }, {"bad_count"}, "", ""},
    {"a counter is no number", [](Clinic& t) { t.redis("HSET", key("stat"), "enqueued", "many"); }, {"bad_count"}, "", ""},
    {"a queue is not known", [](Clinic& t) { t.redis("HDEL", key("queues"), "mail"); }, {"unknown_queue"}, "urgent ready", ""},
    {"a priority of a queue is not known", [](Clinic& t) { t.redis("HSET", key("queues"), "mail", ""); }, {"unknown_queue"}, "urgent ready", ""},
    {"a queue's flags can't be read", [](Clinic& t) { t.redis("HSET", key("queues"), "mail", "7?5"); }, {"bad_queue"}, "urgent ready", ""},
    {"finished jobs are in no bucket", [](Clinic& t) { t.redis("DEL", key("buckets")); }, {"no_bucket"}, "over1 succeeded", ""},
    {"an idempotency key would stay for ever", [](Clinic& t) { t.redis("DEL", key("idemx")); }, {"bad_key"}, "", ""},
    {"an idempotency key can't be read", [](Clinic& t) { t.redis("HSET", key("idem"), "key-unique2", "garbage"); }, {"bad_key"}, "", ""},
    {"the schema is lost", [](Clinic& t) { t.redis("DEL", key("schema")); }, {"no_schema"}, "", ""},
    {"a set is a string", [](Clinic& t) { t.redis("SET", key("scheduled"), "x"); }, {"wrong_type", "no_place"}, "wait1 scheduled", ""},
    {"a queue is a hash", [](Clinic& t) { t.redis("DEL", key("q:sms")); t.redis("HSET", key("q:sms"), "a", "b"); }, {"wrong_type", "no_place"}, "unique1 ready", ""},
    {"a key is not jobq's", [](Clinic& t) { t.redis("SET", key("cache"), "x"); }, {"unknown_key"}, "", ""},
};

// clang-format on

std::set<std::string> kinds(const std::vector<Finding>& findings) {
    std::set<std::string> kinds;
    for (const auto& finding : findings)
        kinds.insert(finding.kind);
    return kinds;
}

}  // namespace

TEST_CASE("a store with a job in every place is healthy, and all its jobs run") {
    Clinic t;
    CHECK(t.run_all() == kAll);
    CHECK(check_up(t.store, t.reactor) == "");
}

TEST_CASE("every kind of finding has a damage in the table") {
    std::set<std::string> met, all;
    for (const auto& row : kRows)
        met.insert(row.findings.begin(), row.findings.end());
    for (const auto& kind : kFindings)
        all.emplace(kind.name);
    CHECK(met == all);
}

TEST_CASE("every damage of the table is found, repaired without losing a job, and gone") {
    for (const auto& row : kRows) {
        INFO(row.what);
        Clinic t;
        row.damage(t);
        auto found = all_findings(t.store, t.reactor, false);
        // What has a wrong type is to be put aside before the rest can be looked at.
        const bool cut = row.findings.count("wrong_type") > 0;
        CHECK(kinds(found) == (cut ? std::set<std::string>{"wrong_type"} : row.findings));
        for (const auto& one : found)
            CHECK_FALSE(one.fixed);
        CHECK(kinds(all_findings(t.store, t.reactor, true)) == row.findings);
        CHECK(check_up(t.store, t.reactor) == "");
        std::string jid = row.state.substr(0, row.state.find(' '));
        if (!jid.empty()) CHECK(jid + " " + t.state(jid) == row.state);
        auto expected = kAll;
        if (!row.dead.empty()) {
            expected.erase(row.dead);
            CHECK(t.view(row.dead).record.reason == "corrupt");
            CHECK(t.view(row.dead).corrupt);
        }
        CHECK(t.run_all() == expected);
        CHECK(check_up(t.store, t.reactor) == "");
    }
}

TEST_CASE("more jobs than are remembered at a time are looked at in several passes") {
    RedisTest t;
    std::vector<Job> jobs;
    for (int i = 0; i < 700; ++i)
        jobs.push_back(a_job_in("mail", "job" + std::to_string(i)));
    t.push(jobs);
    auto look = [&](bool fix) {
        std::multiset<std::string> found;
        Doctor doctor(t.caller, fix, 100);
        for (bool over = false; !over;) {
            CheckPage page = t.get_value(doctor.next());
            for (const auto& finding : page.findings)
                found.insert(finding.kind + " " + finding.what);
            over = page.over;
        }
        return found;
    };
    CHECK(look(false).empty());
    std::multiset<std::string> expected{"no_body nobody", "two_places job500"};
    for (const char* jid : {"job7", "job77", "job300", "job699"}) {
        t.link.command("LREM", key("q:mail"), 0, std::string_view(jid));
        expected.insert(std::string("no_place ") + jid);
    }
    for (const char* jid : {"job500", "nobody"})
        t.link.command("LPUSH", key("q:mail"), std::string_view(jid));
    CHECK(look(false) == expected);
    CHECK(look(true) == expected);
    CHECK(look(false).empty());
    CHECK(t.fetch({"mail"}, 500).size() + t.fetch({"mail"}, 500).size() == 700);
}

TEST_CASE("a damaged counter makes a doctor neither look longer nor tell of more than there is") {
    RedisTest t;
    t.push({a_job_in("mail", "one"), a_job_in("mail", "two")});
    const char* count = GENERATE("-9007199254740992", "9007199254740992", "-1099511627776");
    t.link.command("HSET", key("stat"), std::string_view("tombs"), std::string_view(count));
    const auto steps = [&](bool fix) {
        Doctor doctor(t.caller, fix, 1'000);
        int64_t pages = 0, expected = 0;
        for (bool over = false; !over; ++pages) {
            const CheckPage page = t.get_value(doctor.next());
            if (pages == 0) expected = page.expected;
            over = page.over;
        }
        CHECK(expected < 10);
        return pages;
    };
    const auto damaged = steps(true);
    CHECK(t.stats().ready == 2);
    CHECK(damaged == steps(false));
}

static int jobs_asked() {
    const char* text = std::getenv("JOBQ_DOCTOR_JOBS");
    return text ? std::atoi(text) : 2'500;
}

// Between any two calls of the doctor another client changes something. JOBQ_DOCTOR_JOBS sets how
// many jobs flow; 10,000 take most of a minute.
TEST_CASE("jobs that flow while the doctor looks are no findings") {
    OnRedis t;
    SyncLink other_link(t.server.socket_path());
    RedisStore other(t.reactor, other_link, Keys("test"), {});
    Rng rng(11);
    int made = 0;
    std::vector<Leased> running;
    std::vector<std::string> jids;
    auto value = [&](auto body) {
        auto result = run_task(t.reactor, std::move(body));
        REQUIRE(result);
        return result;
    };
    auto queue = [&] { return std::string(rng.below(4) ? "mail" : "sms"); };
    auto enqueue = [&] {
        std::vector<Job> jobs;
        for (uint64_t n = 1 + rng.below(20); n > 0; --n) {
            Job job = a_job_in(queue(), "job" + std::to_string(made++), rng.below(5) ? 5 : 7);
            if (rng.below(8) == 0) job.run_at_ms = t.reactor.wall_ms() + int64_t(rng.below(3000));
            Ties ties;
            if (rng.below(8) == 0) ties.bid = "b-1";
            if (rng.below(8) == 0) ties.lock = job.jid;
            ties.lock_for_ms = 60'000;
            if (!ties.none()) job.ties = std::make_shared<const Ties>(ties);
            jids.push_back(job.jid);
            jobs.push_back(job);
        }
        value(other.enqueue(jobs));
    };
    auto fetch = [&] {
        FetchRequest request;
        request.owner = rng.below(2) ? "pool1" : "pool2";
        request.queues = {queue(), "other"};
        request.count = int(rng.below(20));
        auto leases = value(other.fetch(request));
        for (auto& lease : *leases) {
            REQUIRE_FALSE(lease.corrupt);
            lease.job.custom = request.owner;  // noted for its end
            running.push_back(lease);
        }
    };
    auto finish = [&] {
        std::vector<Finish> ends;
        for (uint64_t n = rng.below(20); n > 0 && !running.empty(); --n) {
            auto lease = running.begin() + int64_t(rng.below(running.size()));
            Move move = Move(rng.below(7));
            ends.push_back(an_end(lease->job.custom, *lease, move, t.reactor.wall_ms() + 500));
            running.erase(lease);
        }
        value(other.finish(ends));
    };
    auto change = [&] {
        std::vector<std::string> one{jids[rng.below(jids.size())]};
        uint64_t which = rng.below(6);
        if (which == 0) value(other.cancel(one));
        if (which == 1) value(other.remove(one));
        if (which == 2) value(other.requeue(one, true));
        if (which == 3) value(other.kill(one));
        if (which == 5) value(other.take_over("pool2", "pool1", {{one[0], ""}}, 1));
    };
    auto step = [&] {
        t.reactor.advance(int64_t(rng.below(30)));
        uint64_t dice = rng.below(12);
        if (dice < 4) return enqueue();
        if (dice < 7) return fetch();
        if (dice < 9) return finish();
        if (dice < 11) return change();
        value(other.promote(t.reactor.wall_ms(), 50));
    };
    BatchSpec spec;
    spec.bid = "b-1";
    value(other.make_batch(spec));
    for (int i = 0; i < 60; ++i)
        enqueue();
    t.link.on_reply = [&](const std::string&, const Reply&) {
        for (int i = 0; i < 3; ++i)
            step();
    };
    for (int round = 0; made < jobs_asked(); ++round) {
        INFO("round " << round);
        REQUIRE(check_up(t.store, t.reactor, round % 2 == 1) == "");
    }
    t.link.on_reply = nullptr;
    CHECK(check_up(t.store, t.reactor) == "");
}

}  // namespace jobq::test
