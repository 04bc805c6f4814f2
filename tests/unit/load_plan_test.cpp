// cli/load_plan: the schedule of an open loop, the ids and the text of requests.
#include "cli/loadgen/load_plan.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/id.h"
#include "core/job/job.h"

using namespace jobq;
using namespace jobq::cli;

namespace {

const std::string kRun = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

}  // namespace

TEST_CASE("with a rate requests are due at even times that do not drift") {
    const LoadSchedule even(1'000'000, 500, 1);
    CHECK(even.open_loop());
    CHECK(even.due_us(0) == 1'000'000);
    CHECK(even.due_us(1) == 1'002'000);
    CHECK(even.due_us(500) == 2'000'000);
    const LoadSchedule third(0, 3, 1);
    CHECK(third.due_us(1) == 333'333);
    CHECK(third.due_us(3'000'000'000) == 1'000'000'000'000'000);
    const LoadSchedule batches(0, 1'000, 50);
    CHECK(batches.due_us(1) == 50'000);
    CHECK(batches.due_us(20) == 1'000'000);
    const LoadSchedule fast(0, 10'000'000, 1);
    CHECK(fast.due_us(25) == 2);
}

TEST_CASE("without a rate all requests are due at once") {
    const LoadSchedule closed(77, 0, 10);
    CHECK_FALSE(closed.open_loop());
    CHECK(closed.due_us(0) == 77);
    CHECK(closed.due_us(1'000'000) == 77);
}

TEST_CASE("the id of a job is its number, and back") {
    const LoadIds ids(kRun);
    std::set<std::string> all;
    for (const int64_t number : {int64_t(0), int64_t(1), int64_t(31), int64_t(32),
                                 int64_t(1'000'000), LoadIds::kMost - 1}) {
        const std::string id = ids.of(number);
        CHECK(id.size() == 26);
        CHECK(is_name(id));
        CHECK(ids.number(id) == number);
        all.insert(id);
    }
    CHECK(all.size() == 6);
    CHECK(ids.of(5) < ids.of(40));
    CHECK_FALSE(ids.number("01ARZ3NDEKTSV4RRFFX0000000"));
    CHECK_FALSE(ids.number(ids.of(1).substr(1)));
    CHECK_FALSE(ids.number(kRun.substr(0, 19) + "000000u"));
    CHECK_FALSE(ids.number(""));
}

TEST_CASE("a request is a PUSHB of jobs that differ in their ids only") {
    LoadPlan plan;
    plan.batch = 2;
    plan.type = "My\"Worker";
    plan.queue = "bulk";
    const LoadText text(plan, LoadIds(kRun));
    std::string line;
    text.begin(line);
    for (const int64_t number : {3, 4})
        text.add(line, number);
    text.end(line);
    REQUIRE(line.starts_with("PUSHB ["));
    REQUIRE(line.ends_with("]\n"));
    CHECK(line.size() == 7 + 2 * text.bytes_a_job() + 1);
    auto jobs = nlohmann::json::parse(line.substr(6));
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[1]["jid"] == text.ids().of(4));
    CHECK(jobs[0]["jobtype"] == "My\"Worker");
    CHECK(jobs[0]["queue"] == "bulk");
    CHECK(jobs[0]["args"][0].dump().size() == 100);
    jobs[0].erase("jid");
    jobs[1].erase("jid");
    CHECK(jobs[0] == jobs[1]);
    plan.batch = 1;
    const LoadText single(plan, LoadIds(kRun));
    line.clear();
    single.begin(line);
    single.add(line, 3);
    single.end(line);
    REQUIRE(line.starts_with("PUSH {"));
    CHECK(line.ends_with("}\n"));
    CHECK(nlohmann::json::parse(line.substr(5))["jid"] == single.ids().of(3));
}

TEST_CASE("a payload has exactly the bytes asked for") {
    for (const int64_t bytes : {0, 1, 2, 3, 1'000}) {
        LoadPlan plan;
        plan.payload_bytes = bytes;
        const LoadText text(plan, LoadIds(kRun));
        std::string line;
        text.begin(line);
        text.add(line, 0);
        text.end(line);
        const auto args = nlohmann::json::parse(line.substr(5))["args"];
        CHECK(args.dump().size() == size_t(bytes) + 2);
    }
}
