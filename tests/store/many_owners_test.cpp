// What a look or a change costs in Redis when many owners run jobs: so much for each job and so
// much for each owner, never one for each pair of them. Told by the commands its scripts run.
#include <numeric>
#include <sstream>

#include "tests/store/conformance.h"

namespace jobq::test {
namespace {

using RedisTest = StoreTest<OnRedis>;

constexpr int kOwners = 300, kOfTheBig = 700, kWaiting = 100, kAsked = 500;

// All commands that Redis ran since the last call of this.
int64_t commands_run(RedisTest& t) {
    std::istringstream stats(t.link.command("INFO", std::string("commandstats")).text);
    t.link.command("CONFIG", std::string("RESETSTAT"));
    int64_t all = 0;
    for (std::string line; std::getline(stats, line);)
        if (size_t at = line.find(":calls="); at != line.npos)
            all += std::stoll(line.substr(at + 7));
    return all;
}

std::string owner_of(int i) {
    return i < kOwners ? "worker" + std::to_string(i) : "big";
}

// A job for each of the owners, more than are asked for at once for one, and some that wait. Of the
// jids asked for each kind is there, and one twice.
Texts set_up(RedisTest& t) {
    std::vector<Job> jobs;
    for (int i = 0; i < kOwners + kOfTheBig + kWaiting; ++i)
        jobs.push_back(a_job("email", "job" + std::to_string(i)));
    t.push(jobs);
    for (int i = 0; i < kOwners; ++i)
        REQUIRE(t.fetch({"default"}, 1, owner_of(i)).size() == 1);
    REQUIRE(t.fetch({"default"}, kOfTheBig / 2, "big").size() == kOfTheBig / 2);
    REQUIRE(t.fetch({"default"}, kOfTheBig / 2, "big").size() == kOfTheBig / 2);
    Texts jids;
    for (int i = 0; i < kOwners + kOfTheBig + kWaiting; i = i == kOwners + 98 ? 1000 : i + 1)
        jids.push_back("job" + std::to_string(i));
    jids.push_back("job7");
    REQUIRE(jids.size() == kAsked);
    return jids;
}

int number_of(const std::string& jid) {
    return std::stoi(jid.substr(3));
}

bool waits(const std::string& jid) {
    return number_of(jid) >= kOwners + kOfTheBig;
}

}  // namespace

TEST_CASE("looks and changes cost by jobs and by owners, not by their pairs") {
    RedisTest t;
    const auto jids = set_up(t);
    commands_run(t);

    const auto views = t.get_value(t.store.get(jids));
    CHECK(commands_run(t) <= 8 * kAsked + 3 * kOwners);
    for (size_t i = 0; i < jids.size(); ++i) {
        INFO(jids[i]);
        REQUIRE(views[i]);
        CHECK(views[i]->state == (waits(jids[i]) ? State::ready : State::running));
        CHECK(views[i]->owner == (waits(jids[i]) ? "" : owner_of(number_of(jids[i]))));
    }

    const auto removed = t.get_value(t.store.remove(jids));
    const int64_t calls = (kAsked + limits::kScriptActs - 1) / limits::kScriptActs;
    CHECK(commands_run(t) <= 12 * kAsked + 3 * calls * kOwners);
    for (size_t i = 0; i < jids.size(); ++i)
        CHECK(outcome(removed[i]) == (waits(jids[i]) ? "ok" : "CONFLICT"));

    const auto cancelled = t.get_value(t.store.cancel(jids));
    CHECK(commands_run(t) <= 12 * kAsked + 3 * calls * kOwners);
    for (size_t i = 0; i < jids.size(); ++i) {
        INFO(jids[i]);
        CHECK(cancelled[i].has_value() != waits(jids[i]));
        if (cancelled[i]) CHECK(cancelled[i]->owner == owner_of(number_of(jids[i])));
    }
    CHECK(t.stats().running == kOwners + kOfTheBig);
}

TEST_CASE("one job of many owners is found, whichever holds it") {
    RedisTest t;
    set_up(t);
    for (const int i : {0, 1, kOwners - 1, kOwners, kOwners + kOfTheBig - 1}) {
        commands_run(t);
        CHECK(t.view("job" + std::to_string(i)).owner == owner_of(i));
        CHECK(commands_run(t) <= kOwners + 10);
    }
}

}  // namespace jobq::test
