// The Store contract as sentences, on the model and on RedisStore: a job that is enqueued in the
// step that ends another.
#include "tests/store/conformance.h"

namespace jobq::test {

std::shared_ptr<const Job> news(const std::string& jid) {
    Job job = a_job("news", jid);
    job.queue = "post";
    return std::make_shared<const Job>(std::move(job));
}

TEMPLATE_TEST_CASE("what follows an end is enqueued with it, if the end is accepted", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    Texts told;
    t.store.on_ready([&](const std::string& queue) { told.push_back(queue); });
    t.push({a_job("email", "a"), a_job("email", "b"), a_job("email", "c"), a_job("email", "d")});
    auto leases = t.fetch({"default"}, 4);
    std::vector<Finish> ends;
    for (size_t i = 0; i < 3; ++i) {
        ends.push_back(an_end("pool1", leases[i], i == 1 ? Move::dead : Move::succeed));
        ends.back().follow = news("of-" + leases[i].job.jid);
        ends.back().log = "said";
    }
    ends[2].token = "stale";
    auto results = t.get_value(t.store.finish(std::move(ends)));
    CHECK(results[0]);
    CHECK(results[1]);
    CHECK_FALSE(results[2]);
    CHECK(t.state("a") == "succeeded");
    CHECK(t.state("b") == "dead");
    CHECK(t.state("c") == "running");
    CHECK(t.state("of-a") == "ready");
    CHECK(t.state("of-b") == "ready");
    CHECK(t.state("of-c") == "none");
    CHECK(std::count(told.begin(), told.end(), "post") >= 1);
    CHECK(t.stats().enqueued == 6);
    auto followed = t.fetch({"post"}, 9);
    CHECK(jids_of(followed).size() == 2);
    CHECK(followed[0].job.type == "news");
    // A repeat of an end that was accepted changes nothing.
    Finish again = an_end("pool1", leases[0], Move::succeed);
    again.follow = news("of-a-again");
    CHECK(t.finish(again) == "LEASE_LOST");
    CHECK(t.state("of-a-again") == "none");
    Finish last = an_end("pool1", leases[3], Move::cancel);
    last.follow = news("of-d");
    CHECK(t.finish(last) == "ok");
    CHECK(t.fetch_jids({"post"}, 9) == Texts{"of-d"});
}

}  // namespace jobq::test
