// RunningTable: what each operation leaves, and any operations against a plain list.
#include "daemon/broker/running_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/base/rng.h"
#include "tests/support/builders.h"

using namespace jobq;
using namespace jobq::test;

namespace {

Leased a_lease(const std::string& jid, const std::string& token) {
    Leased lease;
    lease.job = a_job("mail", jid);
    lease.token = token;
    lease.started_ms = 7;
    return lease;
}

std::vector<std::string> held_by(const RunningTable& table, const std::string& owner) {
    std::vector<std::string> jids;
    for (const Running* running : table.of_owner(owner))
        jids.push_back(running->job.jid);
    return jids;
}

using Jids = std::vector<std::string>;

// What the table should hold, oldest first.
struct Entry {
    std::string jid, owner, token;
    uint64_t serial = 0;
};

void check_same(const RunningTable& table, const std::vector<Entry>& entries,
                const Jids& all_owners) {
    REQUIRE(table.size() == entries.size());
    REQUIRE(table.empty() == entries.empty());
    std::set<std::string> owners;
    for (const auto& entry : entries) {
        const Running* known = table.find(entry.jid);
        REQUIRE(known);
        REQUIRE(known->job.jid == entry.jid);
        REQUIRE(known->owner() == entry.owner);
        REQUIRE(known->token() == entry.token);
        REQUIRE(known->serial() == entry.serial);
        owners.insert(entry.owner);
    }
    Jids named = table.owners();
    REQUIRE(std::set<std::string>(named.begin(), named.end()) == owners);
    REQUIRE(named.size() == owners.size());
    for (const auto& owner : all_owners) {
        Jids wanted;
        for (const auto& entry : entries)
            if (entry.owner == owner) wanted.push_back(entry.jid);
        REQUIRE(held_by(table, owner) == wanted);
    }
}

}  // namespace

TEST_CASE("running table: a lease is there until it is taken out, and is its owner's") {
    RunningTable table;
    Running& added = table.add(a_lease("a", "t1"), "w:1", "one");
    CHECK(added.worker == "one");
    CHECK(added.started_wall_ms == 7);
    CHECK(added.job.args.empty());  // its head
    table.add(a_lease("b", "t2"), "w:1", "one");
    table.add(a_lease("c", "t3"), "w:2", "two");
    CHECK(held_by(table, "w:1") == Jids{"a", "b"});
    CHECK(held_by(table, "w:2") == Jids{"c"});
    CHECK(held_by(table, "w:3").empty());
    CHECK(table.find("a") == &added);
    CHECK_FALSE(table.find("d"));
    table.remove("a");
    table.remove("d");
    CHECK(held_by(table, "w:1") == Jids{"b"});
    CHECK_FALSE(table.contains("a"));
    table.remove("b");
    CHECK(table.owners() == Jids{"w:2"});
}

TEST_CASE("running table: a new lease of a job takes the place of the one before, and all of it") {
    RunningTable table;
    Running& first = table.add(a_lease("a", "t1"), "w:1", "one");
    const uint64_t serial = first.serial();
    first.cancel_asked = first.flushed = true;
    first.missed_beats = 3;
    first.lease_ends_ms = 9;
    table.add(a_lease("b", "t2"), "w:1", "one");
    Running& again = table.add(a_lease("a", "t3"), "w:2", "");
    CHECK(table.size() == 2);
    CHECK(held_by(table, "w:1") == Jids{"b"});
    CHECK(held_by(table, "w:2") == Jids{"a"});
    CHECK(again.serial() > serial);
    CHECK((!again.cancel_asked && !again.flushed && again.missed_beats == 0));
    CHECK((again.lease_ends_ms == 0 && again.worker.empty()));
    // To the same owner: it is the last taken now.
    table.add(a_lease("c", "t4"), "w:1", "");
    table.add(a_lease("b", "t5"), "w:1", "");
    CHECK(held_by(table, "w:1") == Jids{"c", "b"});
}

TEST_CASE("running table: the end of an earlier lease leaves the present one") {
    RunningTable table;
    const uint64_t before = table.add(a_lease("a", "t1"), "w:1", "").serial();
    const uint64_t now = table.add(a_lease("a", "t2"), "w:1", "").serial();
    table.remove("a", before);
    table.remove("a", "t1");
    CHECK_FALSE(table.take("a", before));
    CHECK_FALSE(table.take("a", 0));
    CHECK_FALSE(table.take("b", now));
    REQUIRE(table.contains("a"));
    auto node = table.take("a", now);
    REQUIRE(node);
    CHECK(node.mapped().token() == "t2");
    CHECK(table.empty());
    CHECK(table.owners().empty());
    table.add(a_lease("a", "t3"), "w:1", "");
    table.remove("a", "t3");
    CHECK(table.empty());
}

TEST_CASE("running table: any operations leave it as a plain list would be") {
    const Jids jids{"a", "b", "c", "d", "e", "f", "g"}, owners{"faktory", "w:1", "pool:x"};
    Rng rng(GENERATE(1, 2, 3, 4));
    RunningTable table;
    std::vector<Entry> entries;
    for (int step = 0; step < 2'000; ++step) {
        const std::string& jid = jids[rng.below(jids.size())];
        const std::string& owner = owners[rng.below(owners.size())];
        const std::string token = "t" + std::to_string(rng.below(20));
        auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& one) { return one.jid == jid; });
        const bool known = entry != entries.end();
        const uint64_t dice = rng.below(6);
        bool goes = known;
        if (dice == 0) {
            table.remove(jid);
        } else if (dice == 1) {
            goes = known && entry->token == token;
            table.remove(jid, token);
        } else if (dice == 2) {
            const uint64_t serial = known ? entry->serial - rng.below(2) : 1;
            goes = known && entry->serial == serial;
            auto node = table.take(jid, serial);
            REQUIRE(bool(node) == goes);
            if (goes) REQUIRE(node.mapped().job.jid == jid);
        } else {
            const uint64_t serial = table.add(a_lease(jid, token), owner, "").serial();
            if (known) entries.erase(entry);
            entries.push_back({jid, owner, token, serial});
            goes = false;
        }
        if (goes) entries.erase(entry);
        check_same(table, entries, owners);
    }
}
