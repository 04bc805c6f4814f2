// The simulator's tests: seeds that once failed, a smoke of some hundred others, and planted
// mistakes that must be found. JOBQ_SIM_SEEDS=FROM..TO runs those instead of the smoke.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/base/text.h"
#include "tests/sim/sweep.h"
#include "tests/support/paths.h"

namespace jobq::sim {
namespace {

constexpr uint64_t kSmokeSeeds = 250;

void all_hold(const Sum& sum) {
    std::string texts;
    for (const auto& failed : sum.failed)
        texts += "seed " + std::to_string(failed.seed) + " broke " + failed.invariant + ": " +
                 failed.text + "; repeat with: build/dev/sim_tests --seed " +
                 std::to_string(failed.seed) + "\n";
    INFO(texts);
    REQUIRE(sum.failed.empty());
}

}  // namespace

TEST_CASE("seeds that once failed") {
    std::ifstream file(std::string(test::kSourceDir) + "/tests/sim/seeds.txt");
    REQUIRE(file);
    std::string line;
    while (std::getline(file, line)) {
        auto seed = parse_int(line.substr(0, line.find(' ')));
        if (seed) all_hold(sweep(uint64_t(*seed), uint64_t(*seed), Mistake::none));
    }
}

TEST_CASE("planted mistakes are found") {
    struct Row {
        Mistake mistake;
        const char* what;
        std::string invariant;  // that names it
    };

    const std::vector<Row> rows{
        {Mistake::stale_finish, "a finish with a stale token is accepted", "S3"},
        {Mistake::double_fetch, "a running job is given to a second fetcher", "S3"},
        {Mistake::lost_enqueue, "an acknowledged job is not stored", "S1"},
        {Mistake::never_recalled, "what dead owners hold is not given back", "L1"},
        {Mistake::early_start, "jobs start before they are due", "S5"},
        {Mistake::changed_args, "other bytes come out than went in", "S2"},
        {Mistake::ignored_cancel, "a cancelled job starts", "S11"},
        {Mistake::endless_crashes, "crashes are not counted", "S6"},
        {Mistake::second_lock, "a lock has two holders", "S7"},
        {Mistake::changed_result, "a result changes", "S12"},
        {Mistake::wrong_type, "a pool gets a job that it does not run", "T1"},
    };
    REQUIRE(rows.size() + 1 == size_t(Mistake::count_));
    for (const auto& row : rows) {
        bool named = false;
        std::string said;
        for (uint64_t seed = 1; seed <= 1000 && !named; seed += 5)
            for (const auto& failed : sweep(seed, seed + 4, row.mistake).failed) {
                said += failed.invariant + ": " + failed.text + "\n";
                named = named || failed.invariant == row.invariant;
            }
        INFO(row.what << "; found:\n" << said);
        CHECK(named);
    }
}

TEST_CASE("random runs hold every invariant") {
    uint64_t from = 1, to = kSmokeSeeds;
    if (const char* seeds = std::getenv("JOBQ_SIM_SEEDS")) {
        std::string text = seeds;
        size_t dots = text.find("..");
        REQUIRE(dots != text.npos);
        from = uint64_t(parse_int(text.substr(0, dots)).value());
        to = uint64_t(parse_int(text.substr(dots + 2)).value());
    }
    all_hold(sweep(from, to, Mistake::none));
}

}  // namespace jobq::sim
