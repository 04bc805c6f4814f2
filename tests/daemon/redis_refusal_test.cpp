// Whatever Redis says instead of doing it, in the middle of whatever it was asked for: afterwards
// each job ended once, nothing is lost, the link is well again.
#include <catch2/catch.hpp>

#include "core/store/link/redis_errors.h"
#include "core/store/redis/redis_store.h"
#include "daemon/broker/broker.h"
#include "daemon/observe/log.h"
#include "daemon/redis/link.h"
#include "daemon/redis/storage.h"
#include "daemon/work/thread_pool.h"
#include "tests/daemon/on_loop.h"
#include "tests/support/builders.h"
#include "tests/support/redis_filter.h"
#include "tests/support/redis_server.h"

namespace jobq::test {
namespace {

using Scripts = std::set<std::string>;

UvRedisLink::Settings link_settings(const std::string& path) {
    UvRedisLink::Settings settings;
    settings.address = *parse_redis_url("unix:" + path);
    settings.probe_key = Keys().of("probe");
    return settings;
}

Storage::Settings storage_settings() {
    Storage::Settings settings;
    settings.durability = "memory";
    settings.probe_key = Keys().of("probe");
    return settings;
}

RedisStoreOptions store_options(StorageGate* gate) {
    RedisStoreOptions options;
    options.gate = gate;
    return options;
}

struct Rig {
    UvReactor reactor;
    RedisServer redis;
    RedisFilter filter{redis.socket_path()};
    UvRedisLink link{reactor, link_settings(filter.path())};
    Storage storage{reactor, storage_settings()};
    RedisStore store{reactor, link, Keys(), store_options(&storage)};
    Events events{reactor};
    Workers workers{reactor};
    Broker broker{reactor, store, events, workers, std::make_shared<Config>()};
    int jobs = 0;
    std::vector<std::string> told;

    Rig() {
        log_open("fatal", false);
        storage.use(link);
        storage.on_refused([this](bool refused, const std::string& text) {
            told.push_back(refused ? text : "over");
        });
        link.start();
        REQUIRE(on_loop(reactor, link.wait_ready(5'000)));
        REQUIRE(on_loop(reactor, store.open()));
    }

    ~Rig() {
        on_loop(reactor, broker.kept_ends().stop(0));
        on_loop(reactor, link.stop());
        on_loop(reactor, storage.stop());
    }

    // Nothing is refused any more, and the link has found that out.
    void well() {
        filter.pass();
        auto is_ready = [this] {
            if (link.state() != LinkState::ready) link.try_now();
            return link.state() == LinkState::ready;
        };
        REQUIRE(on_loop(reactor, until(reactor, is_ready)));
    }

    template <class T>
    T call(task<T> body) {
        return on_loop(reactor, std::move(body));
    }

    // It begins while these scripts are refused; that ends while it is at it.
    template <class T>
    T through(const std::string& error, Scripts scripts, task<T> body) {
        filter.refuse(error, std::move(scripts));
        std::optional<T> result;
        spawn(keep(std::move(body), &result));
        auto met = [this, &result] { return filter.refused() > 0 || result.has_value(); };
        CHECK(on_loop(reactor, until(reactor, met)));
        well();
        auto over = [&result] { return result.has_value(); };
        REQUIRE(on_loop(reactor, until(reactor, over)));
        return std::move(*result);
    }

    template <class T>
    static task<void> keep(task<T> body, std::optional<T>* result) {
        auto value = co_await body;
        result->emplace(std::move(value));
    }

    Job next_job() { return a_job("email", "job-" + std::to_string(++jobs)); }

    Result<Enqueued> enqueue(const Job& job) {
        std::vector<Job> one(1, job);
        return call(broker.intake().enqueue(std::move(one), Caller{})).front();
    }

    FetchOrder order(const std::string& owner) const {
        FetchOrder order;
        order.owner = order.worker = owner;
        order.queues = {"default"};
        order.lease_per_job = owner == "faktory";
        return order;
    }

    Result<std::vector<Leased>> fetch(const std::string& owner) {
        return call(
            broker.dispatch().fetch(order(owner), std::make_shared<Waiters::Ticket>(reactor)));
    }

    Leased take(const std::string& owner) {
        REQUIRE(enqueue(next_job()));
        auto leases = fetch(owner);
        REQUIRE(leases);
        REQUIRE(leases->size() == 1);
        return leases->front();
    }

    static Ended success(const Leased& lease, const std::string& owner) {
        Ended ended;
        ended.jid = lease.job.jid;
        ended.owner = owner;
        ended.token = lease.token;
        return ended;
    }

    task<std::vector<Result<>>> finish(const Leased& lease, const std::string& owner) {
        std::vector<Ended> one(1, success(lease, owner));
        return broker.attempts().finish_surely(std::move(one), [] { return false; });
    }

    std::string state_of(const std::string& jid) {
        auto views = call(store.get({jid}));
        if (!views || !(*views)[0]) return "none";
        return std::string(name((*views)[0]->state));
    }
};

struct Said {
    const RedisError& row;
    std::string text;

    bool is_met() const { return row.prefix != "NOSCRIPT"; }  // the store sends the script then

    template <class T>
    void check_code(const Result<T>& result) const {
        if (!is_met()) return;
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().code == row.code);
    }

    template <class T>
    void check_kept(const Result<T>& result) const {
        if (!is_met()) return;
        REQUIRE_FALSE(result.has_value());
        CHECK_FALSE(is_final(result.error().code));
    }
};

// Into the store, to a worker, and its end.
void walk_a_life(Rig& rig, const Said& said) {
    // Enqueue: said so, and it is not stored; once more, and it is.
    const Job job = rig.next_job();
    std::vector<Job> one(1, job);
    said.check_code(
        rig.through(said.text, {"push"}, rig.broker.intake().enqueue(std::move(one), Caller{}))
            .front());
    if (said.is_met()) CHECK(rig.state_of(job.jid) == "none");
    REQUIRE(rig.enqueue(job));

    // Fetch: the job stays for the next one.
    auto ticket = std::make_shared<Waiters::Ticket>(rig.reactor);
    auto fetched =
        rig.through(said.text, {"fetch"}, rig.broker.dispatch().fetch(rig.order("pool:a"), ticket));
    said.check_kept(fetched);
    if (!fetched) fetched = rig.fetch("pool:a");
    REQUIRE(fetched);
    REQUIRE(fetched->size() == 1);
    const Leased lease = fetched->front();

    // The end of it, beside another's.
    CHECK(rig.through(said.text, {"done"}, rig.finish(lease, "pool:a")).front());
    CHECK(rig.state_of(lease.job.jid) == "succeeded");
    auto again = rig.call(rig.finish(lease, "pool:a")).front();
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::lease_lost);

    // The end that a client of Faktory reports once.
    const Leased reserved = rig.take("faktory");
    Ended ack;
    ack.jid = reserved.job.jid;
    CHECK(rig.through(said.text, {"done"}, rig.broker.kept_ends().finish(std::move(ack))));
    CHECK(rig.state_of(reserved.job.jid) == "succeeded");
    CHECK_FALSE(rig.broker.kept_ends().holds(reserved.job.jid));

    // Beat and extend.
    std::vector<std::string> owners(1, "pool:a");
    said.check_kept(rig.through(said.text, {"beat"}, rig.store.beat(owners)));
    CHECK(rig.call(rig.store.beat(owners)));
    ProgressUpdate update;
    update.jid = lease.job.jid;
    said.check_kept(rig.through(said.text, {"track"}, rig.store.track(update)));
    CHECK(rig.call(rig.store.track(update)));
}

// What the daemon does by itself.
void walk_the_chores(Rig& rig, const Said& said) {
    // To be cancelled, as is found out when it is handed back.
    const Leased stopped = rig.take("pool:a");
    std::vector<std::string> asked(1, stopped.job.jid);
    REQUIRE(rig.call(rig.broker.control().cancel(asked)));
    task<void> put = rig.broker.returns().hand_back_all("pool:a");
    CHECK(rig.through(said.text, {"done"}, detail::true_after(std::move(put))));
    on_loop(rig.reactor, rig.broker.returns().recall());
    CHECK(rig.state_of(stopped.job.jid) == "cancelled");

    // Promote: it is due, and stays so.
    Job later = rig.next_job();
    later.run_at_ms = rig.reactor.wall_ms() + 2;
    REQUIRE(rig.enqueue(later));
    auto is_due = [&] { return rig.reactor.wall_ms() >= later.run_at_ms; };
    REQUIRE(on_loop(rig.reactor, until(rig.reactor, is_due)));
    said.check_kept(rig.through(said.text, {"promote"}, rig.broker.dispatch().promote()));
    REQUIRE(rig.call(rig.broker.dispatch().promote()));
    auto due = rig.fetch("pool:a");
    REQUIRE(due);
    REQUIRE(due->size() == 1);
    CHECK(due->front().job.jid == later.jid);

    // What was taken goes back to its queue, also when that is refused.
    task<void> back = rig.broker.returns().hand_back_all("pool:a");
    CHECK(rig.through(said.text, {"release"}, detail::true_after(std::move(back))));
    on_loop(rig.reactor, rig.broker.returns().recall());
    auto ticket = std::make_shared<Waiters::Ticket>(rig.reactor);
    auto gone = rig.call(rig.broker.dispatch().fetch(rig.order("w:gone"), ticket));
    REQUIRE(gone);
    REQUIRE(gone->size() == 1);
    CHECK(gone->front().job.jid == later.jid);

    // Its worker dies: taking it away is refused, then ending the attempt.
    rig.through(said.text, {"take_over"}, rig.broker.leases().reap("w:gone", "it died"));
    rig.through(said.text, {"defer", "release", "done"},
                detail::true_after(rig.broker.leases().settle_rest()));
    on_loop(rig.reactor, rig.broker.leases().settle_rest());
    CHECK(rig.state_of(later.jid) != "running");
    std::vector<std::string> jids(1, later.jid);
    REQUIRE(rig.call(rig.broker.control().requeue(jids, true, Caller{})));
    auto last = rig.fetch("pool:a");
    REQUIRE(last);
    REQUIRE(last->size() == 1);
    CHECK(rig.call(rig.finish(last->front(), "pool:a")).front());
}

}  // namespace

TEST_CASE("whatever Redis says instead of doing it, each job ends once") {
    Rig rig;
    for (const auto& row : redis_errors()) {
        Said said{row, std::string(row.prefix.empty() ? "NEWWORD" : row.prefix)};
        said.text += " " + (row.has.empty() ? std::string("of Redis") : std::string(row.has));
        INFO(said.text);
        const auto before = rig.call(rig.store.stats()).value();
        rig.told.clear();
        walk_a_life(rig, said);
        walk_the_chores(rig, said);
        const auto after = rig.call(rig.store.stats()).value();
        CHECK(after.succeeded == before.succeeded + 3);
        CHECK(after.running == 0);
        CHECK(after.ready + after.scheduled + after.retrying + after.dead == 0);
        auto over = [&] { return !rig.storage.status().refused; };
        CHECK(on_loop(rig.reactor, until(rig.reactor, over)));
        const bool is_told = row.means == RedisMeans::leave_link ||
                             (row.means == RedisMeans::offer_again && row.reason != "oom" &&
                              row.reason != "busy" && row.reason != "noscript");
        CHECK(rig.told.empty() != is_told);
        if (is_told) CHECK(rig.told.front().find(row.meaning) == 0);
        if (is_told) CHECK(rig.told.back() == "over");
    }
}

TEST_CASE("a Redis that can't serve is left, once its other answers are there") {
    Rig rig;
    const int before = rig.filter.accepted();
    std::vector<LinkState> states;
    rig.link.on_state([&](LinkState state, const Error&) { states.push_back(state); });
    rig.filter.refuse("READONLY You can't write against a read only replica.", {"push"});
    std::vector<Job> one(1, rig.next_job());
    auto refused = rig.call(rig.broker.intake().enqueue(std::move(one), Caller{})).front();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    auto tried = [&] { return rig.filter.accepted() >= before + 3; };
    CHECK(on_loop(rig.reactor, until(rig.reactor, tried)));
    CHECK(rig.link.state() != LinkState::ready);
    CHECK(rig.link.trouble().text.find("READONLY") != std::string::npos);
    CHECK(states == std::vector<LinkState>{LinkState::down});  // told once
    CHECK(rig.link.figures().unknown == 0);
    RedisServer other;
    rig.filter.move_to(other.socket_path());
    rig.well();
    REQUIRE(rig.call(rig.store.open()));
    CHECK(rig.enqueue(rig.next_job()));
}

TEST_CASE("a script that is not permitted says nothing of the others") {
    WriteRefusals refusals;
    const RedisError& error = redis_error_of("NOPERM no");
    ScriptAnswer no{ScriptKind::moves, 1, "defer", true, &error, "NOPERM no"};
    ScriptAnswer yes{ScriptKind::adds, 1, "push", true, nullptr, ""};
    refusals.take(no, 1'000);
    CHECK(refusals.reason() == "noperm");
    refusals.take(yes, 1'001);
    refusals.written(1'002);
    CHECK(refusals.any());
    SECTION("it is over when that one is taken") {
        ScriptAnswer own{ScriptKind::moves, 1, "defer", true, nullptr, ""};
        refusals.take(own, 1'003);
        CHECK_FALSE(refusals.any());
        CHECK(refusals.reason().empty());
    }
    SECTION("or not refused again") {
        refusals.written(1'001 + WriteRefusals::kNotPermittedMs);
        CHECK_FALSE(refusals.any());
    }
}

}  // namespace jobq::test
