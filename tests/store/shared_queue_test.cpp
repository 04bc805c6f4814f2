// One queue, jobs of several types, and fetches that take some of them: each gets the first of
// those it runs, the others keep their places.
#include <algorithm>

#include "core/job/codec.h"
#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

Job typed(std::string type, std::string jid, int priority = limits::kPriorityNormal) {
    Job job = a_job(std::move(type), std::move(jid));
    job.priority = priority;
    return job;
}

template <class Setup>
Texts take(StoreTest<Setup>& t, std::vector<std::string> types, int count = 1) {
    return jids_of(t.fetch({"default"}, count, "pool1", types_of(std::move(types))));
}

// Every other one is of type b; they come in this order.
template <class Setup>
void push_mixed(StoreTest<Setup>& t, int count) {
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i)
        jobs.push_back(typed(i % 2 ? "b" : "a", std::to_string(i)));
    t.push(jobs);
}

// Of the queue, which runs `in_all` of its jobs at once.
FetchRequest limited(int count, int in_all) {
    FetchRequest request;
    request.owner = "pool1";
    request.queues = {"default"};
    request.count = count;
    request.throttles["default"] = {in_all, 0};
    return request;
}

using RedisTest = StoreTest<OnRedis>;

TEMPLATE_TEST_CASE("a fetch takes the first jobs of its types, the others keep their order", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 10);
    CHECK(take(t, {"b"}, 2) == Texts{"1", "3"});
    CHECK(t.list(State::ready, "default") == Texts{"0", "2", "4", "5", "6", "7", "8", "9"});
    CHECK(t.fetch_jids({"default"}, 2) == Texts{"0", "2"});
    CHECK(take(t, {"c"}).empty());
    CHECK(take(t, {"a", "b"}, 3) == Texts{"4", "5", "6"});
    CHECK(take(t, {"a"}, 9) == Texts{"8"});
    CHECK(t.stats().ready == 2);
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"7", "9"});
    CHECK(take(t, {}).empty());
}

TEMPLATE_TEST_CASE("who runs any type meets all jobs in their order, whatever others passed over",
                   "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 6);
    CHECK(take(t, {"none"}).empty());
    t.push({typed("b", "later"), typed("a", "first", 9)});
    CHECK(take(t, {"b"}) == Texts{"1"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"first", "0", "2", "3", "4", "5", "later"});
}

TEMPLATE_TEST_CASE("priorities hold among the jobs of a fetch's types", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    t.push({typed("a", "low", 1), typed("b", "b5"), typed("a", "a5"), typed("b", "b9", 9),
            typed("a", "a9", 9), typed("a", "a9 too", 9)});
    CHECK(take(t, {"b"}, 2) == Texts{"b9", "b5"});
    CHECK(take(t, {"a"}, 9) == Texts{"a9", "a9 too", "a5", "low"});
    CHECK(t.stats().ready == 0);
}

TEMPLATE_TEST_CASE("a job that is handed back is the next for everyone", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 5);
    auto lease = t.fetch({"default"}, 1, "pool1", types_of({"b"})).at(0);
    CHECK(t.end(lease, Move::release) == "ok");
    CHECK(t.list(State::ready, "default") == Texts{"1", "0", "2", "3", "4"});
    CHECK(take(t, {"b"}) == Texts{"1"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"0", "2", "3", "4"});
}

TEMPLATE_TEST_CASE("the place of a job in its queue is its place in the list of it", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({typed("a", "low", 1), typed("b", "high", 9), typed("b", "c-1", 9)});
    push_mixed(t, 8);
    auto place = [&](const std::string& jid, int priority) {
        return t.get_value(t.store.place_in_line(jid, "default", priority));
    };
    auto check_all = [&] {
        const Texts order = t.list(State::ready, "default");
        for (size_t i = 0; i < order.size(); ++i) {
            INFO(order[i]);
            const bool is_high = order[i] == "high" || order[i] == "c-1";
            CHECK(place(order[i], order[i] == "low" ? 1 : is_high ? 9 : 5).ahead == int64_t(i));
        }
    };
    check_all();
    CHECK(place("7", 5).exact);
    CHECK(take(t, {"a"}, 2) == Texts{"0", "2"});
    check_all();
    CHECK(place("nobody", 5).ahead == -1);
    CHECK(t.cancel("4") == "ready");
    CHECK_FALSE(place("7", 5).exact);
}

TEMPLATE_TEST_CASE("the holders of a queue's slots are told with the place", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 4);
    FetchRequest request = limited(2, 2);
    request.worker = "w-1";
    request.token = "token-1";
    CHECK(t.get_value(t.store.fetch(request)).size() == 2);
    auto place = t.get_value(t.store.place_in_line("2", "default", 5));
    std::sort(place.holders.begin(), place.holders.end());
    CHECK(place.in_use == 2);
    CHECK(place.holders ==
          std::vector<std::pair<std::string, std::string>>{{"0", "w-1"}, {"1", "w-1"}});
}

TEMPLATE_TEST_CASE("a cancelled job that was passed over is gone, and its id free at once", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 6);
    CHECK(take(t, {"none"}).empty());
    CHECK(t.cancel("2") == "ready");
    CHECK(t.remove("3") == "ok");
    CHECK(t.stats().ready == 4);
    t.push({typed("b", "2")});
    CHECK(t.list(State::ready, "default") == Texts{"0", "1", "4", "5", "2"});
    CHECK(take(t, {"b"}, 9) == Texts{"1", "5", "2"});
    CHECK(take(t, {"a"}, 9) == Texts{"0", "4"});
}

TEMPLATE_TEST_CASE("clear and forget take what was passed over too", "", InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 6);
    t.push({typed("a", "high", 9)});
    CHECK(take(t, {"b"}) == Texts{"1"});
    CHECK(t.get_value(t.store.clear("default", false)) == 6);
    CHECK(t.stats().ready == 0);
    push_mixed(t, 4);
    CHECK(take(t, {"none"}).empty());
    CHECK(t.get_value(t.store.clear("default", true)) == 3);  // "1" runs, and is not taken again
    CHECK(t.get_value(t.store.queues(false)).empty());
}

TEMPLATE_TEST_CASE("a queue's size and its oldest job count what was passed over", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    t.push({typed("a", "old")});
    t.reactor.advance(5'000);
    Job fresh = typed("b", "new");
    fresh.created_ms = t.now();
    t.push({fresh});
    CHECK(take(t, {"none"}).empty());
    auto queue = t.get_value(t.store.queues(true)).at(0);
    CHECK(queue.size == 2);
    CHECK(queue.oldest_ms == TestReactor::kStartWallMs);
    CHECK(queue.next_type == "a");
    CHECK(take(t, {"a"}) == Texts{"old"});
    queue = t.get_value(t.store.queues(true)).at(0);
    CHECK(queue.oldest_ms == fresh.created_ms);
    CHECK(queue.next_type == "b");
}

TEMPLATE_TEST_CASE("pages of a queue go through what was passed over, each job once", "", InMemory,
                   OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 9);
    t.push({typed("a", "high", 8)});
    CHECK(take(t, {"b"}, 2) == Texts{"1", "3"});
    for (int page : {1, 2, 3, 50}) {
        Texts jids;
        for (const auto& view : list_all(t.store, t.reactor, State::ready, "default", page))
            jids.push_back(view.job.jid);
        CHECK(jids == Texts{"high", "0", "2", "4", "5", "6", "7", "8"});
    }
}

TEMPLATE_TEST_CASE("limits of a queue count the jobs that are taken, not those passed over", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    push_mixed(t, 8);
    FetchRequest request = limited(9, 2);
    request.types = types_of({"b"});
    CHECK(jids_of(t.get_value(t.store.fetch(request))) == Texts{"1", "3"});
    CHECK(jids_of(t.get_value(t.store.fetch(request))).empty());
    request.types = nullptr;
    request.throttles["default"] = {4, 0};
    CHECK(jids_of(t.get_value(t.store.fetch(request))) == Texts{"0", "2"});
}

TEMPLATE_TEST_CASE("hundreds of types in one queue: any set of them finds its jobs in order", "",
                   InMemory, OnRedis) {
    StoreTest<TestType> t;
    std::vector<Job> jobs;
    for (int i = 0; i < 900; ++i)
        jobs.push_back(typed("type" + std::to_string(i % 300), std::to_string(i)));
    t.push(jobs);
    CHECK(take(t, {"type7", "type299"}, 5) == Texts{"7", "299", "307", "599", "607"});
    std::vector<std::string> most;
    for (int i = 10; i < 300; ++i)
        most.push_back("type" + std::to_string(i));
    Texts taken, wanted;
    while (taken.size() < 867) {
        auto more = take(t, most, 100);
        REQUIRE_FALSE(more.empty());
        taken.insert(taken.end(), more.begin(), more.end());
    }
    for (int i = 0; i < 900; ++i)
        if (i % 300 >= 10 && i != 299 && i != 599) wanted.push_back(std::to_string(i));
    wanted.resize(taken.size());
    CHECK(taken == wanted);
}

TEST_CASE("many jobs of others ahead are met once, not by each fetch") {
    RedisTest t;
    constexpr int kOthers = 5'000;
    std::vector<Job> jobs;
    for (int i = 0; i < kOthers; ++i)
        jobs.push_back(typed("other", "other" + std::to_string(i)));
    for (int i = 0; i < 20; ++i)
        jobs.push_back(typed("mine", "mine" + std::to_string(i)));
    t.push(jobs);
    int before = t.link.calls();
    CHECK(take(t, {"mine"}) == Texts{"mine0"});
    CHECK(t.link.calls() - before <= kOthers / 500);
    before = t.link.calls();
    for (int i = 1; i < 20; ++i)
        CHECK(take(t, {"mine"}) == Texts{"mine" + std::to_string(i)});
    CHECK(take(t, {"mine"}).empty());
    CHECK(t.link.calls() - before == 20);
    CHECK(t.fetch_jids({"default"}, 3) == Texts{"other0", "other1", "other2"});
}

TEST_CASE("a job whose type can't be read is taken by whoever comes, and found damaged") {
    RedisTest t;
    push_mixed(t, 2);
    std::string envelope = encode_job(typed("a", "0"), false);
    envelope[3 + 7 + kChecksumBytes] = '?';  // behind the queue's name: the tag of the type
    t.link.command("HSET", std::string_view("jobq:{test}:j"), std::string_view("0"), envelope);
    auto leases = t.fetch({"default"}, 5, "pool1", types_of({"none"}));
    REQUIRE(jids_of(leases) == Texts{"0"});
    CHECK(leases[0].corrupt);
}

TEST_CASE("a job of schema 1 has a type too, and one of 255 bytes") {
    RedisTest t;
    const std::string longest(limits::kTypeBytes, 'x');
    t.push({typed("a", "0"), typed(longest, "1")});
    std::string envelope = encode_job(typed("a", "0"), false);
    envelope[0] = kKindPlain1;
    envelope.erase(3 + 7, kChecksumBytes);
    t.link.command("HSET", std::string_view("jobq:{test}:j"), std::string_view("0"), envelope);
    CHECK(take(t, {longest}, 5) == Texts{"1"});
    CHECK(take(t, {"a"}, 5) == Texts{"0"});
}

// As the build before left one: two pools had parked what they could not run.
TEST_CASE("a store of schema 2 with parked jobs: they wait among the others, oldest first") {
    RedisTest t;
    t.push({typed("a", "p1"), typed("b", "p2"), typed("b", "p3", 9), typed("a", "n1"),
            typed("b", "gone"), typed("a", "high", 9)});
    CHECK(t.cancel("gone") == "ready");
    const std::string q = "jobq:{test}:q:default";
    t.link.command("DEL", q);
    t.link.command("LPUSH", q, std::string_view("n1"));
    t.link.command("LREM", q + ":9", 1, std::string_view("p3"));
    for (const char* jid : {"p1", "gone", "p3"})
        t.link.command("LPUSH", q + ":e", std::string_view(jid));
    t.link.command("LPUSH", q + ":o", std::string_view("p2"));
    t.link.command("HSET", std::string_view("jobq:{test}:queues"), std::string_view("default"),
                   std::string_view("9eo"));
    t.link.command("SET", std::string_view("jobq:{test}:schema"), std::string_view("2"));
    t.done(t.store.open());
    CHECK(t.link.command("GET", std::string_view("jobq:{test}:schema")).text == "3");
    CHECK(
        t.link.command("HGET", std::string_view("jobq:{test}:queues"), std::string_view("default"))
            .text == "9");
    CHECK(t.list(State::ready, "default") == Texts{"p3", "high", "p2", "p1", "n1"});
    CHECK(t.stats().ready == 5);
    CHECK(take(t, {"a"}, 9) == Texts{"high", "p1", "n1"});
    CHECK(t.fetch_jids({"default"}, 9) == Texts{"p3", "p2"});
}

}  // namespace
}  // namespace jobq::test
