// No call of the store is too large for a script: each operation with as many jobs as one call of
// its script takes, with one more, and with many times as many; jobs with all the ties there are.
#include <cstdlib>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

using RedisTest = StoreTest<OnRedis>;

constexpr int kMost = int(limits::kScriptJobs);
constexpr int kActs = int(limits::kScriptActs);

// Jobs that hold a lock each, are of a batch, and are tracked.
std::vector<Job> tied_jobs(int count, const std::string& bid, int64_t run_at_ms) {
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i) {
        Job job = a_job("email", bid + "-job-" + std::to_string(i));
        Ties ties;
        ties.lock = "lock-" + bid + "-" + std::to_string(i);
        ties.lock_for_ms = 3'600'000;
        ties.until_start = i % 2 == 0;
        ties.bid = bid;
        ties.tracked = true;
        job.ties = std::make_shared<const Ties>(ties);
        job.run_at_ms = run_at_ms;
        jobs.push_back(job);
    }
    return jobs;
}

Texts jids_of(const std::vector<Job>& jobs) {
    Texts jids;
    for (const auto& job : jobs)
        jids.push_back(job.jid);
    return jids;
}

// A committed batch with its jobs. Its callbacks go to the queue "cb".
Texts push_batch(RedisTest& t, int count, const std::string& bid, int64_t run_at_ms) {
    BatchSpec spec;
    spec.bid = bid;
    spec.complete = a_job_in("cb", bid + "-complete-cb");
    spec.success = a_job_in("cb", bid + "-success-cb");
    t.done(t.store.make_batch(spec));
    const auto jobs = tied_jobs(count, bid, run_at_ms);
    for (const auto& text : t.push(jobs))
        REQUIRE(text.find(" " + bid) != std::string::npos);
    t.done(t.store.open_batch(bid, false));
    return jids_of(jobs);
}

template <class T>
int good_of(const std::vector<Result<T>>& results) {
    int good = 0;
    for (const auto& one : results)
        good += one.has_value();
    return good;
}

std::vector<Leased> fetch_all(RedisTest& t, int count, const std::string& owner) {
    std::vector<Leased> all;
    FetchRequest request;
    request.owner = owner;
    request.worker = "w";
    request.queues = {"default"};
    request.throttles["default"] = {100'000, 100'000};
    while (int(all.size()) < count) {
        request.count = count - int(all.size());
        auto some = t.get_value(t.store.fetch(request));
        REQUIRE(!some.empty());
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

int end_all(RedisTest& t, const std::vector<Leased>& leases, const std::string& owner, Move move) {
    std::vector<Finish> ends;
    for (const auto& lease : leases)
        ends.push_back(an_end(owner, lease, move, t.now() + 1));
    return good_of(t.get_value(t.store.finish(std::move(ends))));
}

void promote_all(RedisTest& t) {
    while (t.get_value(t.store.promote(t.now() + 1'000'000, kMost)).more) {
    }
}

int64_t locks_of(RedisTest& t) {
    Command locks("HLEN", std::string_view("jobq:{test}:lock"));
    const auto reply = run_task(t.reactor, t.link.call(std::move(locks)));
    REQUIRE(reply);
    return reply->integer;
}

// So many, or more with JOBQ_MANY: 9,000 were too many for one call of a script.
int many() {
    const char* text = std::getenv("JOBQ_MANY");
    return text ? std::atoi(text) : kMost + 1;
}

// Each callback was enqueued once.
void settled(RedisTest& t, const std::string& bid, int count, const Texts& callbacks) {
    const auto view = t.get_value(t.store.batch(bid));
    CHECK(view.total == count);
    CHECK(view.pending == 0);
    CHECK(t.list(State::ready, "cb") == callbacks);
    t.get_value(t.store.clear("cb", false));
}

}  // namespace

TEST_CASE(
    "each script takes as many jobs as it is given at most, and one more takes another call") {
    RedisTest t;
    const int count = GENERATE(as<int>{}, kMost, kMost + 1);
    INFO(count);
    const auto jids = push_batch(t, count, "b-run", 0);
    CHECK(int(t.get_value(t.store.get(jids)).size()) == count);
    CHECK(int(t.get_value(t.store.progress(jids)).size()) == count);

    auto leases = fetch_all(t, count, "pool1");
    CHECK(end_all(t, leases, "pool1", Move::release) == count);
    leases = fetch_all(t, count, "pool1");
    CHECK(end_all(t, leases, "pool1", Move::snooze) == count);
    promote_all(t);
    leases = fetch_all(t, count, "pool1");
    CHECK(end_all(t, leases, "pool1", Move::retry) == count);
    promote_all(t);
    leases = fetch_all(t, count, "pool1");
    CHECK(end_all(t, leases, "pool1", Move::dead) == count);
    CHECK(t.get_value(t.store.batch("b-run")).pending == 0);
    t.reactor.advance(1);
    CHECK(good_of(t.get_value(t.store.requeue(jids, true))) == count);
    leases = fetch_all(t, count, "pool1");
    std::vector<LeaseName> names;
    for (const auto& lease : leases)
        names.push_back({lease.job.jid, lease.token});
    leases = t.get_value(t.store.take_over("pool1", "pool2", names, kMost));
    CHECK(int(leases.size()) == count);
    CHECK(good_of(t.get_value(t.store.cancel(jids))) == count);
    CHECK(end_all(t, leases, "pool2", Move::succeed) == count);
    settled(t, "b-run", count, {"b-run-complete-cb"});
    CHECK(locks_of(t) == 0);
}

TEST_CASE("people change as many jobs of a batch at once as they name") {
    RedisTest t;
    const int count = GENERATE(as<int>{}, kActs, kActs + 1, kMost, many());
    INFO(count);
    const int64_t later = t.now() + 500'000;
    const auto killed = push_batch(t, count, "b-kill", later);
    const int before = t.link.calls();
    CHECK(good_of(t.get_value(t.store.kill(killed))) == count);
    CHECK(t.link.calls() - before >= 2 * ((count + kActs - 1) / kActs));
    settled(t, "b-kill", count, {"b-kill-complete-cb"});
    CHECK(good_of(t.get_value(t.store.requeue(killed, false))) == count);
    CHECK(good_of(t.get_value(t.store.remove(killed))) == count);

    const auto removed = push_batch(t, count, "b-remove", later);
    CHECK(good_of(t.get_value(t.store.remove(removed))) == count);
    settled(t, "b-remove", count, {"b-remove-complete-cb"});

    const auto cancelled = push_batch(t, count, "b-cancel", later);
    CHECK(good_of(t.get_value(t.store.cancel(cancelled))) == count);
    settled(t, "b-cancel", count, {"b-cancel-complete-cb"});

    CHECK(locks_of(t) == 0);
    push_batch(t, count, "b-clear", 0);
    CHECK(t.get_value(t.store.clear("default", false)) == count);
    settled(t, "b-clear", count, {"b-clear-complete-cb"});
    CHECK(locks_of(t) == 0);
}

TEST_CASE("jobs of another store, old dead ones and queues come and go in any number") {
    RedisTest t;
    const int count = GENERATE(as<int>{}, kMost, kMost + 1);
    INFO(count);
    std::vector<Imported> jobs;
    for (int i = 0; i < count; ++i) {
        Imported& one = jobs.emplace_back();
        one.job = a_job("email", "import" + std::to_string(i));
        one.state = i % 3 == 0 ? State::dead : i % 3 == 1 ? State::retrying : State::scheduled;
        one.at_ms = t.now();
        one.record.attempts = 1;
    }
    CHECK(good_of(t.get_value(t.store.bring_in(jobs))) == count);
    t.get_value(t.store.kill([&] {
        Texts jids;
        for (const auto& one : jobs)
            jids.push_back(one.job.jid);
        return jids;
    }()));
    CHECK(t.stats().dead == count);
    t.done(t.store.purge(t.now() + limits::kDeadKeepMs + 1));
    CHECK(t.stats().dead == 0);
    CHECK(t.stats().removed == count);
}

TEST_CASE("a page of queues is looked at a few names at a time") {
    RedisTest t;
    constexpr int kQueues = int(limits::kScriptQueues);
    Texts names;
    for (int i = 0; i < 2 * kQueues + 1; ++i) {
        names.push_back("queue" + std::to_string(1000 + i));
        t.push({a_job_in(names.back(), "job-of-" + names.back())});
    }
    const bool latency = GENERATE(false, true);
    for (const int limit : {1, kQueues - 1, kQueues, kQueues + 1, 2 * kQueues, 2 * kQueues + 1}) {
        INFO(limit << (latency ? " with ages" : ""));
        QueueRequest request;
        request.limit = limit;
        request.latency = latency;
        Texts met;
        do {
            const int before = t.link.calls();
            const auto page = t.get_value(t.store.queue_page(request));
            CHECK(t.link.calls() - before <= (limit + kQueues - 1) / kQueues);
            CHECK(int(page.queues.size()) <= limit);
            CHECK(page.known == int(names.size()));
            for (const auto& queue : page.queues) {
                met.push_back(queue.name);
                CHECK(queue.size == 1);
                CHECK((queue.oldest_ms != 0) == latency);
            }
            request.after = page.next;
        } while (!request.after.empty());
        CHECK(met == names);
        const int before = t.link.calls();
        QueueRequest named;
        named.names.assign(names.begin(), names.begin() + limit);
        CHECK(int(t.get_value(t.store.queue_page(named)).queues.size()) == limit);
        CHECK(t.link.calls() - before == (limit + kQueues - 1) / kQueues);
    }
}

TEST_CASE("a worker may ask for any number of queues, and people name any number of them") {
    RedisTest t;
    const int count = GENERATE(as<int>{}, kMost, kMost + 1, 9'000);
    INFO(count);
    Texts names;
    for (int i = 0; i < count; ++i)
        names.push_back("queue" + std::to_string(i));
    t.done(t.store.pause(names, true));
    t.push({a_job_in(names.back(), "last")});
    CHECK(t.fetch_jids(names).empty());
    t.done(t.store.pause(names, false));
    CHECK(t.fetch_jids(names) == Texts{"last"});
}

}  // namespace jobq::test
