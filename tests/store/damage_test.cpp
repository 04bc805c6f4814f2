// Jobs whose stored form was damaged in Redis: never run, dead with the reason, still accounted
// for. And those stored by schema 1, which have no checksum.
#include "core/job/codec.h"
#include "core/job/decide.h"
#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

using RedisTest = StoreTest<OnRedis>;

}  // namespace

TEST_CASE("a job whose stored form is damaged is fetched as corrupt and can be buried") {
    RedisTest t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    t.link.command("HSET", std::string_view("jobq:{test}:j"), std::string_view("a"),
                   std::string_view(".5\x07"
                                    "default\xFF\xFF\xFF"));
    CHECK(t.view("a").corrupt);
    auto leases = t.fetch({"default"}, 2);
    REQUIRE(leases.size() == 2);
    CHECK(leases[0].corrupt);
    CHECK(leases[0].job.jid == "a");
    CHECK_FALSE(leases[1].corrupt);
    Finish end = an_end("pool1", leases[0], Move::dead);
    end.transition.record.reason = "corrupt";
    CHECK(t.finish(end) == "ok");
    CHECK(t.state("a") == "dead");
    CHECK(t.remove("a") == "ok");
    CHECK(t.state("b") == "running");
}

// Whatever bit of it flips: fetched as corrupt, and dead under the queue it waited in.
TEST_CASE("a job with a flipped bit anywhere in its envelope never runs and is dead") {
    RedisTest t;
    Job sample = a_job_in("mail", "a");
    sample.created_ms = 5;
    const std::string good = encode_job(sample, false);
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
        INFO("bit " << bit << " of " << good.size() << " bytes");
        t.push({sample});
        std::string damaged = good;
        damaged[bit / 8] = char(damaged[bit / 8] ^ (1 << (bit % 8)));
        t.link.command("HSET", std::string_view("jobq:{test}:j"), std::string_view("a"), damaged);
        CHECK(t.view("a").corrupt);
        auto leases = t.fetch({"mail"}, 2);
        REQUIRE(leases.size() == 1);
        REQUIRE(leases[0].corrupt);
        CHECK(!leases[0].damage.empty());
        Finish end = an_end("pool1", leases[0], Move::dead);
        end.transition.record = buried(leases[0].record, leases[0].damage, t.now());
        CHECK(t.finish(end) == "ok");
        JobView view = t.view("a");
        CHECK(view.state == State::dead);
        CHECK(view.corrupt);
        CHECK(view.record.reason == "corrupt");
        CHECK(view.record.errors.back().message == leases[0].damage);
        ListRequest request;
        request.state = State::dead;
        CHECK(t.get_value(t.store.list(request)).jobs.size() == 1);
        CHECK(t.get_value(t.store.stats()).dead == 1);
        // Made ready again, it is found out again.
        if (!view.job.queue.empty() && bit % 7 == 0) {
            CHECK(outcomes(t.get_value(t.store.requeue({"a"}, true)))[0] == "ok");
            leases = t.fetch({view.job.queue});
            REQUIRE(leases.size() == 1);
            CHECK(leases[0].corrupt);
            CHECK(t.finish(an_end("pool1", leases[0], Move::dead)) == "ok");
        }
        CHECK(t.remove("a") == "ok");
        t.done(t.store.flush());
    }
}

TEST_CASE("jobs stored by schema 1 run, retry and die as any other") {
    RedisTest t;
    t.push({a_job("email", "a"), a_job("email", "b")});
    for (std::string jid : {"a", "b"}) {
        std::string old = encode_job(a_job("email", jid), false);
        old[0] = kKindPlain1;
        old.erase(3 + size_t(old[2]), kChecksumBytes);
        t.link.command("HSET", std::string_view("jobq:{test}:j"), jid, old);
    }
    t.link.command("SET", std::string_view("jobq:{test}:schema"), std::string_view("1"));
    t.done(t.store.open());
    CHECK(t.link.command("GET", std::string_view("jobq:{test}:schema")).text == "3");
    auto leases = t.fetch({"default"}, 2);
    REQUIRE(leases.size() == 2);
    CHECK_FALSE(leases[0].corrupt);
    t.end(leases[0], Move::retry, t.now());
    t.end(leases[1], Move::dead);
    CHECK_FALSE(t.view("a").corrupt);
    CHECK_FALSE(t.view("b").corrupt);
    t.get_value(t.store.promote(t.now(), 9));
    leases = t.fetch({"default"});
    REQUIRE(leases.size() == 1);
    CHECK_FALSE(leases[0].corrupt);
    CHECK(leases[0].job == a_job("email", "a"));
}

}  // namespace jobq::test
