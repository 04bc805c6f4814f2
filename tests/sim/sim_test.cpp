// The simulator's tests: seeds that once failed, a smoke of some hundred others, and planted
// mistakes that must be found. JOBQ_SIM_SEEDS=FROM..TO runs those instead of the smoke.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/base/text.h"
#include "tests/sim/sweep.h"

namespace jobq::sim {
namespace {

constexpr uint64_t kSmokeSeeds = 300;

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
    std::ifstream file(JOBQ_SOURCE_DIR "/tests/sim/seeds.txt");
    REQUIRE(file);
    std::string line;
    while (std::getline(file, line)) {
        auto seed = parse_int(line.substr(0, line.find(' ')));
        if (seed) all_hold(sweep(uint64_t(*seed), uint64_t(*seed), Mistake::none));
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
